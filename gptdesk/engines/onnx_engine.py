"""The ONNX engine: runs folders that gptdesk exported, in ONNX Runtime and without torch."""

from __future__ import annotations

import contextlib
import ctypes
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import onnxruntime as ort

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.folder import ONNX_DATA_FILE, ONNX_FILE, ONNX_KEY, ModelFolder
from gptdesk.engines.base import EngineInfo, check_input
from gptdesk.errors import (
    CheckpointError,
    EngineError,
    OptionError,
    OutOfMemoryError,
    UnsupportedModelError,
)
from gptdesk.export import onnx_format as fmt
from gptdesk.export.graph_guard import check_graph
from gptdesk.export.onnx_runtime import CPU, CUDA, Decoder, Provider, open_session
from gptdesk.export.tables import read_tables
from gptdesk.generation.events import Progress
from gptdesk.model.config import ModelConfig

if TYPE_CHECKING:
    from gptdesk.engines.base import Logits

DEVICES = ("auto", "cpu", "cuda")


class OnnxEngine:
    """An exported graph with the KV cache of one sequence; see `engines.base.Engine`."""

    def __init__(self, decoder: Decoder, info: EngineInfo) -> None:
        self._decoder: Decoder | None = decoder
        self._info = info

    @property
    def info(self) -> EngineInfo:
        """What runs, where, and how large it is."""
        return self._info

    @property
    def length(self) -> int:
        """Tokens now in the KV cache."""
        return self._decoder.length if self._decoder is not None else 0

    def extend(self, ids: Sequence[int], *, last: int = 1, whole: int = 0) -> Logits:  # noqa: ARG002
        """Feed tokens behind those held; float32 logits [last, vocab_size].

        Raises: as `engines.base.Engine.extend`.
        """
        if self._decoder is None:
            raise EngineError("The model was closed.", "Open it again.")
        check_input(self._info, self._decoder.length, ids, last)
        return self._decoder.run(ids, last)

    def truncate(self, length: int) -> None:
        """Forget every token after the first `length`; more than `self.length` is a no-op."""
        if self._decoder is not None:
            self._decoder.length = min(self._decoder.length, max(0, length))

    def close(self) -> None:
        """Free the weights and the cache."""
        self._decoder = None


def open_onnx(
    folder: ModelFolder,
    *,
    device: str = "auto",
    threads: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: CancelFlag | None = None,
) -> tuple[OnnxEngine, list[str]]:
    """Load an exported folder.

    Args:
        folder: of kind "onnx".
        device: "cpu", "cuda" (also "cuda:1"), or "auto": CUDA where it works.
        threads: of the processor; None lets ONNX Runtime choose.
        progress: told bytes of the weights, stage "loading".
        cancel: polled while gptdesk reads; what ONNX Runtime reads cannot be interrupted.

    Returns:
        The engine, and what is wrong but not fatal.

    Raises:
        CheckpointError: a file is damaged or leads outside the folder.
        UnsupportedModelError: the graph is not one that gptdesk exported.
        OptionError: no such device.
        EngineError: the device was asked for by name and does not work.
        OutOfMemoryError: no room for the weights.
        Cancelled: the person stopped it.
    """
    precision = _precision(folder)
    tables = check_graph(folder.root)
    total = sum(file.stat().st_size for file in folder.weight_files)

    def report(done: int) -> None:
        raise_if_cancelled(cancel)
        if progress is not None:
            name = folder.root.name
            progress(Progress(stage="loading", done=done, total=total, detail=name))

    report(0)
    session, used = _open(folder, device, threads)
    _check_interface(session, folder.config)
    read = read_tables(folder.root / ONNX_DATA_FILE, tables, report) if used == "cpu" else {}
    decoder = Decoder(session, folder.config, used, read)
    _try_out(decoder, folder)
    report(total)
    config = folder.config
    info = EngineInfo("onnx", used, precision, config.context_length, config.vocab_size, total)
    return OnnxEngine(decoder, info), _warnings(folder, used)


def devices() -> list[str]:
    """The execution providers this ONNX Runtime was built with; not all need work here."""
    return [name.removesuffix("ExecutionProvider") for name in ort.get_available_providers()]


def _precision(folder: ModelFolder) -> str:
    options = folder.config_data.get(ONNX_KEY)
    if folder.kind != "onnx" or not isinstance(options, Mapping):
        raise UnsupportedModelError(
            f"The model in {folder.root} is not an ONNX folder that gptdesk exported.",
            "Open it with the torch engine, or export it first.",
        )
    for key, known in (("precision", fmt.PRECISIONS), ("variant", fmt.VARIANTS)):
        if options.get(key) not in known:
            raise UnsupportedModelError(
                f"config.json in {folder.root}: {ONNX_KEY}.{key} = {str(options.get(key))[:80]!r} "
                "is not supported by this version of gptdesk.",
                f"Export the model again; possible: {', '.join(known)}.",
            )
    return str(options["precision"])


def _warnings(folder: ModelFolder, used: str) -> list[str]:
    # ONNX Runtime has its fused attention in 32 bits for processors only and copies the cache there.
    if used == "cpu" or folder.config_data[ONNX_KEY]["variant"] == "portable":
        return []
    warning = (
        "The attention of this export runs on the processor; "
        'export the variant "portable" to keep it on the graphics card.'
    )
    return [warning]


def _open(folder: ModelFolder, device: str, threads: int | None) -> tuple[Any, str]:
    """A session, and the name of the device it runs on."""
    kind, _, index = device.partition(":")
    if kind not in DEVICES or (index and not (kind == "cuda" and index.isdecimal())):
        raise OptionError(
            f"The ONNX engine has no device {device!r}.", f"Choose one of: {', '.join(DEVICES)}."
        )
    graph = folder.root / ONNX_FILE
    if kind != "cpu" and _cuda_is_there():
        session = _open_cuda(graph, int(index or 0), threads)
        if session is not None:
            return session, f"cuda:{index or 0}"
    if kind == "cuda":
        raise EngineError(
            "CUDA does not work on this computer.",
            "Install NVIDIA's driver and the CUDA libraries, or choose the processor (cpu).",
            f"providers: {', '.join(ort.get_available_providers())}",
        )
    return _loaded(graph, threads), "cpu"


def _cuda_is_there() -> bool:
    """Whether trying CUDA is worth the messages onnxruntime prints when it fails."""
    if CUDA not in ort.get_available_providers():
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _open_cuda(graph: Any, index: int, threads: int | None) -> Any:
    """A session on the graphics card, or None when the card's libraries do not work."""
    ort.set_default_logger_severity(4)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
        ort.preload_dlls(directory="")  # CUDA's libraries, where pip has installed them
    providers: list[Provider] = [(CUDA, {"device_id": index}), CPU]
    try:
        session = open_session(graph, providers=providers, threads=threads)
    except EngineError:
        return None
    return session if CUDA in session.get_providers() else None


def _loaded(graph: Any, threads: int | None) -> Any:
    try:
        return open_session(graph, providers=[CPU], threads=threads)
    except OutOfMemoryError:
        raise
    except EngineError as error:
        raise _broken(graph, error.details) from error


def _check_interface(session: Any, config: ModelConfig) -> None:
    """Raise `UnsupportedModelError` unless inputs and outputs are those of the format."""
    for what, wanted, values in (
        ("input", fmt.inputs(config), session.get_inputs()),
        ("output", fmt.outputs(config), session.get_outputs()),
    ):
        found = {value.name: (value.type, value.shape) for value in values}
        wrong = sorted(n for n in wanted | found if found.get(n) != wanted.get(n))
        if wrong:
            name = wrong[0]
            raise UnsupportedModelError(
                f"{ONNX_FILE}: the {what} {name[:80]!r} is not what config.json asks for.",
                "Export the model again.",
                f"wanted {wanted.get(name)}, found {found.get(name)}; {len(wrong)} differ",
            )


def _try_out(decoder: Decoder, folder: ModelFolder) -> None:
    """Run one token, so that a graph that cannot run says so now and not in mid-sentence."""
    try:
        logits = decoder.run([0], 1)
    except OutOfMemoryError:
        raise
    except EngineError as error:
        raise _broken(folder.root / ONNX_FILE, error.details) from error
    if logits.shape != (1, folder.config.vocab_size):
        raise _broken(folder.root / ONNX_FILE, f"logits of shape {logits.shape}")
    decoder.length = 0


def _broken(graph: Any, details: str) -> CheckpointError:
    return CheckpointError(
        f"ONNX Runtime cannot run {graph}.", "Export or download the model again.", details
    )
