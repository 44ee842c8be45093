"""Choosing an engine for a model folder; each engine's library is imported only when chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gptdesk.cancel import CancelFlag
from gptdesk.checkpoints.plan import plan_folder
from gptdesk.errors import OptionError

if TYPE_CHECKING:
    from gptdesk.checkpoints.folder import ModelFolder
    from gptdesk.engines.base import Engine
    from gptdesk.generation.events import Progress

ENGINES = ("torch", "onnx", "fake")


def open_engine(
    folder: ModelFolder,
    *,
    engine: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: CancelFlag | None = None,
) -> tuple[Engine, list[str]]:
    """Load a model folder into the engine that fits it, or into the one asked for.

    Args:
        folder: from `resolve_folder`.
        engine: "auto" (ONNX Runtime for an ONNX folder, else torch), "torch", "onnx", "fake".
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto", "fp32", "bf16", "fp16"; an ONNX folder has one precision, its own.
        threads: CPU threads; None leaves the choice to the engine.
        progress: told bytes read, stage "loading".
        cancel: stops the loading and frees what was loaded.

    Returns:
        The engine, and what is wrong with the model but not fatal.

    Raises:
        OptionError: engine, device, precision or number of threads does not exist here.
        CheckpointError: the folder cannot be loaded.
        OutOfMemoryError: it does not fit.
        Cancelled: the person stopped it.
    """
    if engine == "auto":
        engine = "onnx" if folder.kind == "onnx" else "torch"
    if engine not in ENGINES:
        raise OptionError(f"There is no engine {engine!r}.", f"Choose auto, {', '.join(ENGINES)}.")
    if threads is not None and not 1 <= threads <= 1024:
        raise OptionError(f"threads = {threads} is outside 1 … 1024.")
    if engine == "fake":
        from gptdesk.engines.fake_engine import FakeEngine

        config = folder.config
        return FakeEngine(config.vocab_size, config.context_length), []
    if engine == "onnx":
        from gptdesk.engines.onnx_engine import open_onnx

        return open_onnx(folder, device=device, threads=threads, progress=progress, cancel=cancel)
    if folder.kind != "onnx":
        plan_folder(folder)  # importing torch takes seconds: what headers tell is said before
    from gptdesk.engines.torch_engine import open_torch

    return open_torch(
        folder, device=device, dtype=dtype, threads=threads, progress=progress, cancel=cancel
    )
