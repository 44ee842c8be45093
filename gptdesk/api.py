"""The public functions: load a model, write with it, save and export it.

    import gptdesk

    model = gptdesk.load("models/gptdesk-base")
    for event in gptdesk.continue_text(model, "The lighthouse was", length="sentence", seed=1):
        print(event.text, end="")
    *_, finished = gptdesk.summarize(model, gptdesk.read_document("notes.txt"), form="headline")
    model.close()

Everything that goes wrong is a `gptdesk.GptDeskError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.cancel import CancelFlag
from gptdesk.errors import EngineError, NotBuiltError
from gptdesk.generation.events import Event, Progress
from gptdesk.generation.sampling import Sampling
from gptdesk.session import Model, load_model

if TYPE_CHECKING:
    from gptdesk.checkpoints.info import ModelInfo
    from gptdesk.export.onnx_export import ExportReport

ProgressCallback = Callable[[Progress], None]

_SAMPLING_NAMES = frozenset(field.name for field in fields(Sampling))


def load(
    path: str | Path,
    engine: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    adapter: str | Path | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelFlag | None = None,
) -> Model:
    """Load the model in a folder, or in the folder of a file.

    Args:
        path: a Hugging Face folder, or one that `export_onnx` wrote.
        engine: "auto" (ONNX Runtime for an ONNX folder, else torch), "torch", "onnx", "fake".
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto", "fp32", "bf16", "fp16".
        threads: CPU threads; None leaves the choice to the engine.
        adapter: a folder with a LoRA adapter in PEFT's format, put on the model; for the torch
            engine. `model.adapter_enabled = False` switches it off, and on again.
        progress: called with `Progress` events, bytes read.
        cancel: an object with `is_set()`; loading ends with `Cancelled` soon after it is set.

    Raises:
        CheckpointError: the folder is missing, damaged, or of a kind gptdesk does not run; or the
            adapter is, or was made for another model.
        OptionError: engine, device or precision does not exist here, or takes no adapter.
        OutOfMemoryError: the model does not fit.
    """
    return load_model(
        path,
        engine=engine,
        device=device,
        dtype=dtype,
        threads=threads,
        adapter=adapter,
        progress=progress,
        cancel=cancel,
    )


def inspect(path: str | Path) -> ModelInfo:
    """What a model is, from its headers alone: architecture, size, files, memory it would take.

    Raises:
        CheckpointError: it is missing, damaged, or of a kind gptdesk does not run.
    """
    from gptdesk.checkpoints.inspection import inspect_model

    return inspect_model(path)


def save(model: Model, out_dir: str | Path) -> None:
    """Write a model as a Hugging Face folder, which `transformers` loads to the same logits.

    An adapter that is switched on is merged into what is written; the model itself keeps it.

    Raises:
        NotBuiltError: the model runs on an engine that does not hold the original weights.
        EngineError: the model is closed.
        CheckpointError: the folder exists and is not empty, or cannot be written.
    """
    if model.closed:
        raise EngineError("The model is closed.", "Load it again.")
    gpt = getattr(model.engine, "gpt", None)
    if gpt is None:
        raise NotBuiltError(
            f"A model on the {model.info.name} engine cannot be saved as a checkpoint.",
            "Load the original model with engine='torch' and save that.",
        )
    from gptdesk.checkpoints.saver import save_gpt

    save_gpt(gpt, model.path, Path(out_dir))


def export_onnx(
    path: str | Path,
    out_dir: str | Path,
    precision: str = "fp32",
    variant: str = "fast",
    progress: ProgressCallback | None = None,
    cancel: CancelFlag | None = None,
    adapter: str | Path | None = None,
) -> ExportReport:
    """Write the model at `path` as an ONNX folder, which `load` runs on ONNX Runtime.

    A LoRA adapter, if one is given, becomes part of the weights.

    Raises:
        CheckpointError: the model cannot be read.
        ExportError: the folder cannot be written, or the export differs from its source.
        NotBuiltError: a precision that this version lacks.
        Cancelled: `cancel` was set; nothing is left behind.
    """
    from gptdesk.export.onnx_export import export_onnx as export

    return export(
        path,
        out_dir,
        precision=precision,
        variant=variant,
        progress=progress,
        cancel=cancel,
        adapter=adapter,
    )


def continue_text(
    model: Model,
    text: str,
    *,
    sampling: Sampling | Mapping[str, Any] | None = None,
    cancel: CancelFlag | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Go on where the text ends.

    Args:
        model: from `load`.
        text: what stands before the cursor; it may be empty.
        sampling: a `Sampling` to be used as it is, or values over the task's defaults.
        cancel: an object with `is_set()`.
        options: `length` ("sentence", "paragraph", "page"), or any field of `Sampling`.

    Raises:
        OptionError: an option does not exist or is out of range.
    """
    return _run(model, "continue", text, sampling, cancel, options)


def summarize(
    model: Model,
    text: str,
    *,
    sampling: Sampling | Mapping[str, Any] | None = None,
    cancel: CancelFlag | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Summarize a text of any length.

    Args:
        model: from `load`.
        text: what to summarize.
        sampling, cancel: as in `continue_text`.
        options: `form` ("headline", "paragraph", "points"), `points` (2 to 9), `language`
            ("same", "en", "zh", "de", "fr"), or any field of `Sampling`.

    Raises:
        OptionError: an option does not exist or is out of range, or there is no text.
    """
    return _run(model, "summarize", text, sampling, cancel, options)


def translate(
    model: Model,
    text: str,
    *,
    sampling: Sampling | Mapping[str, Any] | None = None,
    cancel: CancelFlag | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Translate a text, line by line.

    Args:
        model: from `load`.
        text: what to translate.
        sampling, cancel: as in `continue_text`.
        options: `source` ("auto", "en", "zh", "de", "fr"), `target` ("auto", "en", "zh", "de",
            "fr"), or any field of `Sampling`.

    Raises:
        OptionError: an option does not exist or is out of range, there is no text, or both
            languages are the same.
    """
    return _run(model, "translate", text, sampling, cancel, options)


def rewrite(
    model: Model,
    text: str,
    *,
    sampling: Sampling | Mapping[str, Any] | None = None,
    cancel: CancelFlag | None = None,
    **options: Any,
) -> Iterator[Event]:
    """Correct or simplify a text, sentence by sentence, in its own language.

    Args:
        model: from `load`.
        text: what to rewrite.
        sampling, cancel: as in `continue_text`.
        options: `style` ("proofread", "simplify"), or any field of `Sampling`.

    Raises:
        OptionError: an option does not exist or is out of range, or there is no text.
    """
    return _run(model, "rewrite", text, sampling, cancel, options)


def classify(model: Model, text: str, **options: Any) -> Iterator[Event]:
    """Not built yet: score labels for a text.

    Raises:
        NotBuiltError: always.
    """
    return _run(model, "classify", text, None, None, options)


def _run(
    model: Model,
    task: str,
    text: str,
    sampling: Sampling | Mapping[str, Any] | None,
    cancel: CancelFlag | None,
    options: Mapping[str, Any],
) -> Iterator[Event]:
    """Sort the keywords into options of the task and fields of `Sampling`, and run it."""
    given = {name: value for name, value in options.items() if name in _SAMPLING_NAMES}
    rest = {name: value for name, value in options.items() if name not in given}
    if isinstance(sampling, Sampling):
        return model.run(task, text, rest, sampling.with_values(given), cancel)
    return model.run(task, text, rest, {**(sampling or {}), **given}, cancel)
