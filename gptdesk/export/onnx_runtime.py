"""Runs an exported graph in ONNX Runtime: the session, and the memory of its KV cache.

Used by the check at the end of an export and by the ONNX engine; never imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from gptdesk.errors import EngineError, OutOfMemoryError
from gptdesk.export import onnx_format as fmt
from gptdesk.model.config import ModelConfig

Provider = str | tuple[str, dict[str, int]]

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

_CAPACITY_STEP = 256
_FATAL_ONLY = 4  # every error also arrives as an exception


def open_session(graph: Path, *, providers: Sequence[Provider], threads: int | None) -> Any:
    """An `onnxruntime.InferenceSession` on model.onnx with the settings every use shares.

    Raises:
        OutOfMemoryError: the device has no room for the weights.
        EngineError: onnxruntime refuses the file or the device.
    """
    ort.disable_telemetry_events()
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _FATAL_ONLY
    options.intra_op_num_threads = threads or 0
    # A thread that spins while it waits takes the core on which the window draws.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # Its fallback would print to stdout, where the CLI writes the text, and try once more.
        return ort.InferenceSession(graph, options, providers=list(providers), enable_fallback=0)
    except Exception as error:
        raise runtime_error(error) from error


class Decoder:
    """One exported model with the KV cache of one sequence.

    Each cache value is one block of memory bound as input and output of the graph, so that only
    new keys and values are written; positions from `length` on are scratch.

    Args:
        session: from `open_session`.
        config: of the model.
        device: where the cache lives: "cpu", "cuda:0".
        tables: weights to use in place of the file's, by the name of their graph input.

    Attributes:
        length: tokens held; lowering it forgets the tail.
    """

    def __init__(
        self,
        session: Any,
        config: ModelConfig,
        device: str,
        tables: Mapping[str, NDArray[np.float32]] = MappingProxyType({}),
    ) -> None:
        self.length = 0
        self._session = session
        self._config = config
        kind, _, index = device.partition(":")
        self._device = (kind, int(index or 0))
        self._binding = session.io_binding()
        self._cache: dict[tuple[str, str], Any] = {}
        self._capacity = 0
        self._tables = {
            name: ort.OrtValue.ortvalue_from_numpy(value) for name, value in tables.items()
        }

    def run(self, ids: Sequence[int], last: int) -> NDArray[np.float32]:
        """Feed `ids` behind the tokens held; logits [last, vocab_size].

        Raises:
            OutOfMemoryError: the device has no room; the cache is as before.
            EngineError: the runtime failed for another reason; the cache is as before.
        """
        count = len(ids)
        inputs = {
            fmt.INPUT_IDS: np.array(ids, dtype=np.int64),
            fmt.POSITION_IDS: np.arange(self.length, self.length + count, dtype=np.int64),
            fmt.LOGIT_INDICES: np.arange(count - last, count, dtype=np.int64),
        }
        try:
            self._reserve(self.length + count)
            for name, value in inputs.items():
                self._binding.bind_cpu_input(name, value)
            self._binding.bind_output(fmt.LOGITS, "cpu")
            self._session.run_with_iobinding(self._binding)
            logits: NDArray[np.float32] = self._binding.get_outputs()[0].numpy()
        except Exception as error:
            raise runtime_error(error) from error
        self.length += count
        return logits

    def _reserve(self, total: int) -> None:
        """Make room for `total` tokens, a quarter more than before at least."""
        if total <= self._capacity:
            return
        wanted = max(total, self._capacity * 5 // 4)
        wanted += -wanted % _CAPACITY_STEP
        capacity = min(wanted, max(total, self._config.context_length))
        shape = (1, self._config.num_kv_heads, capacity, self._config.head_dim)
        grown: dict[tuple[str, str], Any] = {}
        for layer in range(self._config.num_layers):
            for names in fmt.cache_names(layer):
                block = np.zeros(shape, dtype=np.float32)
                if self.length:
                    block[:, :, : self.length] = self._cache[names].numpy()[:, :, : self.length]
                grown[names] = ort.OrtValue.ortvalue_from_numpy(block, *self._device)
        self._cache, self._capacity = grown, capacity
        self._bind_cache()

    def _bind_cache(self) -> None:
        self._binding.clear_binding_inputs()
        self._binding.clear_binding_outputs()
        for name, value in self._tables.items():
            self._binding.bind_ortvalue_input(name, value)
        # The order of the outputs is the order of binding: logits first.
        self._binding.bind_output(fmt.LOGITS, "cpu")
        for (past, present), value in self._cache.items():
            self._binding.bind_ortvalue_input(past, value)
            self._binding.bind_ortvalue_output(present, value)


def runtime_error(error: Exception) -> EngineError:
    """What the person is told of an exception that onnxruntime raised while running."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY):
        return OutOfMemoryError(
            "There is not enough memory to go on.",
            "Close other programs, shorten the text, or open a smaller model.",
            text,
        )
    return EngineError(
        "ONNX Runtime stopped with an error.",
        "Open the model again; if it happens each time, export it again.",
        text,
    )


_OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate memory", "out of memory", "CUDA_ERROR_OUT_OF")
