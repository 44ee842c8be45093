"""Exports a checkpoint to an ONNX folder that runs without torch: `export_onnx`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import onnx
import torch

from gptdesk.atomic import new_folder, write_bytes
from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.adapter import load_adapter
from gptdesk.checkpoints.adapter_folder import AdapterFolder, plan_adapter, resolve_adapter
from gptdesk.checkpoints.companions import companion_files
from gptdesk.checkpoints.families.base import CONFIG_NAME
from gptdesk.checkpoints.folder import (
    ONNX_DATA_FILE,
    ONNX_FILE,
    ONNX_FORMAT_VERSION,
    ONNX_KEY,
    ModelFolder,
    resolve_folder,
)
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.errors import EngineError, ExportError, NotBuiltError, OptionError, OutOfMemoryError
from gptdesk.export import onnx_format as fmt
from gptdesk.export.attention_graph import MAX_TABLE_BYTES, FastAttention
from gptdesk.export.check import TOLERANCE, Comparison, Trace, compare, trace
from gptdesk.export.destination import check_destination, destination_errors
from gptdesk.export.gpt_graph import build
from gptdesk.export.onnx_runtime import CPU, Decoder, open_session
from gptdesk.export.weight_file import WeightFile
from gptdesk.generation.events import Progress
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import merge_adapter
from gptdesk.model.memory import memory_errors

ProgressCallback = Callable[[Progress], None]

_PLANNED_PRECISIONS = ("fp16", "int8", "int4")
_SPARE_BYTES = MAX_TABLE_BYTES + (64 << 20)  # of disk, for all but weights, and for others


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote and how well it agrees with its source.

    Attributes:
        path: the new folder.
        precision: of the weights.
        variant: the one written, which is "portable" where "fast" does not fit the model.
        files: names of the files in it.
        bytes: of all of them together.
        seconds: the export took.
        max_difference: largest difference of logits on a short prompt, as a share of the largest.
        greedy_equal: whether the most probable token was the same at every step of it.
        warnings: wrong with the source, but not fatal.
    """

    path: Path
    precision: str
    variant: fmt.Variant
    files: tuple[str, ...]
    bytes: int
    seconds: float
    max_difference: float
    greedy_equal: bool
    warnings: tuple[str, ...] = ()


def export_onnx(
    path: str | Path,
    out_dir: str | Path,
    precision: str = "fp32",
    variant: str = "fast",
    progress: ProgressCallback | None = None,
    cancel: CancelFlag | None = None,
    adapter: str | Path | None = None,
) -> ExportReport:
    """Write the checkpoint at `path` as an ONNX folder, check it, and only then let it appear.

    Args:
        path: a Hugging Face folder or a file in it.
        out_dir: the folder to make; it may exist if it is empty.
        precision: "fp32".
        variant: "fast" uses ONNX Runtime's fused attention, "portable" operators of the ONNX
            standard only.
        progress: told bytes, first read (stage "loading"), then written (stage "exporting").
        cancel: polled all the while; nothing is left behind.
        adapter: folder of a LoRA adapter, which becomes part of the weights.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ExportError: the destination cannot be written, or the result differs from its source.
        NotBuiltError: a precision that this version lacks.
        OptionError: a precision or variant that does not exist.
        OutOfMemoryError: no room for the weights.
        Cancelled: the person stopped it.
    """
    started = time.monotonic()
    wanted = _checked_options(precision, variant)
    folder = resolve_folder(path)
    if folder.kind == "onnx":
        raise ExportError(
            f"The model in {folder.root} is an ONNX export already.",
            "Export the model that it was made from.",
        )
    merged = resolve_adapter(adapter) if adapter is not None else None
    if merged is not None:
        plan_adapter(merged, folder.config)
    used, notes = _fitting_variant(wanted, folder.config.for_plain_context())
    notes += _limits(folder.config)
    target = Path(out_dir).expanduser().absolute()
    with destination_errors(target):
        check_destination(target, 4 * folder.config.num_parameters + _SPARE_BYTES)
        with new_folder(target) as temporary:
            comparison, warnings = _write(folder, merged, temporary, used, progress, cancel)
    files = sorted(target.iterdir())
    return ExportReport(
        path=target,
        precision=precision,
        variant=used,
        files=tuple(file.name for file in files),
        bytes=sum(file.stat().st_size for file in files),
        seconds=time.monotonic() - started,
        max_difference=comparison.max_difference,
        greedy_equal=comparison.greedy_equal,
        warnings=(*notes, *warnings),
    )


def _checked_options(precision: str, variant: str) -> fmt.Variant:
    if precision in _PLANNED_PRECISIONS:
        raise NotBuiltError(
            f"ONNX export in {precision} is not built yet.", "Export in fp32 instead."
        )
    for name, value, choices in (
        ("precision", precision, fmt.PRECISIONS),
        ("variant", variant, fmt.VARIANTS),
    ):
        if value not in choices:
            raise OptionError(
                f"{name} = {value!r} is not a kind of ONNX export.",
                f"Choose one of: {', '.join(choices)}.",
            )
    return cast("fmt.Variant", variant)


def _fitting_variant(wanted: fmt.Variant, config: ModelConfig) -> tuple[fmt.Variant, list[str]]:
    obstacle = FastAttention.obstacle(config)
    if wanted == "portable" or not obstacle:
        return wanted, []
    note = (
        f"ONNX Runtime's fused attention does not suit {obstacle}; "
        "the portable variant was written instead."
    )
    return "portable", [note]


def _limits(config: ModelConfig) -> list[str]:
    if config.plain_context == config.context_length:
        return []
    note = (
        f"The export attends to {config.plain_context:,} tokens, its source to "
        f"{config.context_length:,}: positions in longer texts depend on how long these are."
    )
    return [note]


def _write(
    folder: ModelFolder,
    adapter: AdapterFolder | None,
    out: Path,
    variant: fmt.Variant,
    progress: ProgressCallback | None,
    cancel: CancelFlag | None,
) -> tuple[Comparison, list[str]]:
    """Fill the folder `out`; the source's weights are freed before the result is loaded."""
    with memory_errors("to export the model"):
        gpt, warnings = load_gpt(folder, dtype=torch.float32, progress=progress, cancel=cancel)
        if adapter is not None:
            warnings += load_adapter(gpt, adapter, progress=progress, cancel=cancel)
        gpt.config = config = gpt.config.for_plain_context()
        reference = trace(gpt, cancel)
        if adapter is not None:
            merge_adapter(gpt)
    _write_model(gpt, out, variant, progress, cancel)
    del gpt
    _copy_companions(folder, config, out, variant)
    return _checked(out / ONNX_FILE, config, reference, cancel), warnings


def _write_model(
    gpt: GPT,
    out: Path,
    variant: fmt.Variant,
    progress: ProgressCallback | None,
    cancel: CancelFlag | None,
) -> None:
    total = sum(4 * parameter.numel() for parameter in gpt.parameters())

    def report(done: int) -> None:
        if progress is not None:
            progress(Progress(stage="exporting", done=min(done, total), total=total))

    report(0)
    with (out / ONNX_DATA_FILE).open("wb") as file:
        weights = WeightFile(file, report, cancel)
        model = build(
            gpt.config, lambda name: gpt.get_parameter(name).detach().numpy(), weights, variant
        )
        file.flush()
        os.fsync(file.fileno())
    write_bytes(out / ONNX_FILE, model.SerializeToString())
    report(total)


def _copy_companions(
    folder: ModelFolder, config: ModelConfig, out: Path, variant: fmt.Variant
) -> None:
    for name, content in companion_files(folder):
        (out / name).parent.mkdir(exist_ok=True)
        write_bytes(out / name, content)
    data = dict(folder.config_data)
    if config.tied_embeddings != folder.config.tied_embeddings:
        data["tie_word_embeddings"] = config.tied_embeddings
    data[ONNX_KEY] = {
        "format_version": ONNX_FORMAT_VERSION,
        "precision": "fp32",
        "variant": variant,
    }
    text = json.dumps(data, indent=2, ensure_ascii=False)
    write_bytes(out / CONFIG_NAME, f"{text}\n".encode())


def _checked(
    graph: Path, config: ModelConfig, reference: Trace, cancel: CancelFlag | None
) -> Comparison:
    """Run what was written.

    Raises:
        ExportError: it does not run, or what it says differs from the source.
    """
    raise_if_cancelled(cancel)
    try:
        onnx.checker.check_model(graph)
        session = open_session(graph, providers=[CPU], threads=None)
        comparison = compare(Decoder(session, config, "cpu"), reference, cancel)
    except OutOfMemoryError:
        raise
    except (EngineError, onnx.checker.ValidationError) as error:
        raise _differs(getattr(error, "details", "") or str(error)) from error
    if not comparison.max_difference <= TOLERANCE:
        raise _differs(f"relative difference of logits: {comparison.max_difference:.3g}")
    return comparison


def _differs(details: str) -> ExportError:
    return ExportError(
        "The exported model does not say what its source says, so it was thrown away.",
        'Try the variant "portable"; if it fails too, please report this.',
        details,
    )
