"""Reading weights into memory, converting on the way, never holding a tensor twice.

Weights are read, not memory-mapped. A mapped file that is cut short under the app (a download
that restarts in place, an unplugged disk) ends the process with SIGBUS, and with it the window;
a read that comes up short is an error like any other. It also puts tensors at 64-byte borders,
where a safetensors file promises 8, and keeps decoding from waiting for evicted pages.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import torch
from torch import Tensor

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.plan import Step
from gptdesk.checkpoints.safetensors_header import StoredTensor
from gptdesk.errors import CheckpointError

_CHUNK_BYTES = 16 << 20

DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


class TensorReader:
    """Reads tensors of one model, file by file, in chunks that can be cancelled between.

    Args:
        dtype: of the tensors it returns.
        on_bytes: told how many bytes each chunk had.
        cancel: polled before each chunk.

    Attributes:
        not_finite: names of tensors in which NaN or infinity came up.
    """

    def __init__(
        self, dtype: torch.dtype, on_bytes: Callable[[int], None], cancel: CancelFlag | None
    ) -> None:
        self.not_finite: list[str] = []
        self._dtype = dtype
        self._on_bytes = on_bytes
        self._cancel = cancel
        self._path: Path | None = None
        self._file: BufferedReader | None = None

    def read(self, step: Step) -> dict[str, Tensor]:
        """The parameters that one stored tensor becomes, on the CPU.

        Raises:
            CheckpointError: the file is shorter than its header said, or cannot be read.
            Cancelled: between chunks.
        """
        whole = self._read_stored(step.stored)
        if step.rule.transpose:
            whole = whole.t()
        if len(step.rows) == 1:
            return {step.rule.ours[0]: whole.contiguous()}
        parts = torch.split(whole, list(step.rows))
        # clone, so that no part keeps the memory of the whole alive.
        return {
            name: part.clone(memory_format=torch.contiguous_format)
            for name, part in zip(step.rule.ours, parts, strict=True)
        }

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        self._file = self._path = None

    def _read_stored(self, stored: StoredTensor) -> Tensor:
        source = DTYPES[stored.dtype]
        result = torch.empty(stored.shape, dtype=self._dtype)
        flat = result.view(-1)
        step = max(1, min(flat.numel(), _CHUNK_BYTES // source.itemsize))
        buffer = None if source == self._dtype else torch.empty(step, dtype=source)
        finite = True
        try:
            file = self._open(stored.path)
            file.seek(stored.offset)
            for start in range(0, flat.numel(), step):
                raise_if_cancelled(self._cancel)
                target = flat[start : start + step]
                chunk = target if buffer is None else buffer[: target.numel()]
                _fill(file, chunk, stored)
                if buffer is not None:
                    target.copy_(chunk)
                finite = finite and _is_finite(target)
                self._on_bytes(chunk.numel() * source.itemsize)
        except OSError as error:
            raise CheckpointError(
                f"{stored.path} cannot be read.", "Check the disk it lies on.", str(error)
            ) from error
        if not finite:
            self.not_finite.append(stored.name)
        return result

    def _open(self, path: Path) -> BufferedReader:
        if self._file is None or self._path != path:
            self.close()
            self._file, self._path = path.open("rb"), path
        return self._file


def same_values(one: StoredTensor, other: StoredTensor) -> bool:
    """Whether two stored tensors are equal byte for byte."""
    if (one.dtype, one.shape) != (other.dtype, other.shape):
        return False
    with one.path.open("rb") as file, other.path.open("rb") as second:
        file.seek(one.offset)
        second.seek(other.offset)
        left = one.nbytes
        while left:
            data = file.read(min(left, _CHUNK_BYTES))
            if not data or data != second.read(len(data)):
                return False
            left -= len(data)
    return True


def _fill(file: BufferedReader, chunk: Tensor, stored: StoredTensor) -> None:
    # numpy has no bfloat16; the bytes are the same whatever they are called.
    view = chunk.view(torch.uint8).numpy().data
    if file.readinto(view) != len(view):
        raise CheckpointError(
            f"{stored.path} ends inside tensor {stored.name}.",
            "Download the file again; it changed while it was being read.",
        )


def _is_finite(chunk: Tensor) -> bool:
    # Minimum and maximum carry NaN on and need no second tensor, unlike isfinite().all().
    low, high = chunk.aminmax()
    return bool(torch.isfinite(low) & torch.isfinite(high))
