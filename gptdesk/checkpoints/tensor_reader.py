"""Reading weights into memory, converting on the way, never holding a tensor twice.

Weights are read, not memory-mapped. A mapped file that is cut short under the app (a download
that restarts in place, an unplugged disk) ends the process with SIGBUS, and with it the window;
a read that comes up short is an error like any other. It also puts tensors at 64-byte borders,
where a safetensors file promises 8, and keeps decoding from waiting for evicted pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import torch
from torch import Tensor

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.block_decoding import DECODERS
from gptdesk.checkpoints.plan import Step
from gptdesk.checkpoints.row_order import RowOrder
from gptdesk.checkpoints.stored_tensor import BLOCK_TYPES, StoredTensor
from gptdesk.errors import CheckpointError

_CHUNK_ITEMS = 4 << 20
_DECODED_ITEMS = 1 << 18  # decoding makes several copies, which should stay in the cache
_COMPARED_BYTES = 4 << 20

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
        self._buffer = torch.empty(0, dtype=torch.uint8)
        self._file: BufferedReader | None = None

    def read(self, step: Step) -> dict[str, Tensor]:
        """The parameters that one stored tensor becomes, on the CPU.

        Raises:
            CheckpointError: the file is shorter than its header said, or cannot be read.
            Cancelled: between chunks.
        """
        rule = step.rule
        # Halves of 1 + w and of w keep different digits of w: take the one off in full precision.
        dtype = torch.float32 if rule.added else self._dtype
        whole = self._read_whole(step, dtype)
        if rule.added:
            whole = whole.sub_(rule.added).to(self._dtype)
        # Parts of a fused tensor share its memory; all of them are needed, so none is wasted.
        parts = torch.split(whole, list(step.rows))
        return dict(zip(step.rule.ours, parts, strict=True))

    def close(self) -> None:
        """Close the file that is open."""
        if self._file is not None:
            self._file.close()
        self._file = self._path = None
        self._buffer = torch.empty(0, dtype=torch.uint8)

    def _read_whole(self, step: Step, dtype: torch.dtype) -> Tensor:
        stored, transpose, order = step.stored, step.rule.transpose, step.order
        if stored.dtype in BLOCK_TYPES:
            result = self._read_blocks(stored, dtype)
            result = result.t().contiguous() if transpose else result
            return result if order is None else result[torch.tensor(order.stored_rows())]
        if transpose or order is not None or stored.strides is not None:
            return self._read_view(stored, transpose, order, dtype)
        return self._read_rows(stored, dtype)

    def _read_rows(self, stored: StoredTensor, dtype: torch.dtype) -> Tensor:
        """A tensor that lies as we want it, converted where needed."""
        source = DTYPES[stored.dtype]
        result = torch.empty(stored.shape, dtype=dtype)
        for number, target in enumerate(torch.split(result.view(-1), _CHUNK_ITEMS)):
            raw = target if source == dtype else self._staging(target.numel(), source)
            self._fill(raw, stored, number * _CHUNK_ITEMS)
            if raw is not target:
                target.copy_(raw)
            self._check(target, stored)  # while it is in the cache
        return result

    def _read_view(
        self, stored: StoredTensor, transpose: bool, order: RowOrder | None, dtype: torch.dtype
    ) -> Tensor:
        """A tensor whose numbers do not lie in the order in which we want them."""
        # One copy of the whole matrix: torch has a fast path for that and none for slices.
        source = DTYPES[stored.dtype]
        raw = self._staging(stored.nbytes // source.itemsize, source)
        self._fill(raw, stored, 0)
        strides = stored.strides or torch.empty(stored.shape, device="meta").stride()
        view = raw.as_strided(stored.shape, strides)
        view = view.t() if transpose else view
        result = torch.empty(view.shape, dtype=dtype)
        if order is None:
            self._check(result.copy_(view), stored)
            return result
        rows = torch.tensor(order.stored_rows())
        step = max(1, _CHUNK_ITEMS // math.prod(view.shape[1:]))
        for target, chosen in zip(torch.split(result, step), torch.split(rows, step), strict=True):
            self._check(target.copy_(view[chosen]), stored)
        return result

    def _read_blocks(self, stored: StoredTensor, dtype: torch.dtype) -> Tensor:
        """A tensor of a block type, decoded some thousand blocks at a time."""
        numbers, nbytes = BLOCK_TYPES[stored.dtype]
        result = torch.empty(stored.shape, dtype=dtype)
        step = _DECODED_ITEMS // numbers
        for first, target in enumerate(torch.split(result.view(-1), step * numbers)):
            raw = self._staging(target.numel() // numbers * nbytes, torch.uint8)
            self._fill(raw, stored, first * step * nbytes)
            decoded = DECODERS[stored.dtype](raw.view(-1, nbytes))  # (blocks, numbers)
            self._check(target.copy_(decoded.view(-1)), stored)
        return result

    def _fill(self, target: Tensor, stored: StoredTensor, first: int) -> None:
        """Read the stored numbers from index `first` on into `target`, flat and of their type."""
        try:
            file = self._open(stored.path)
            file.seek(stored.offset + first * target.itemsize)
            for piece in torch.split(target, _CHUNK_ITEMS):
                raise_if_cancelled(self._cancel)
                # numpy has no bfloat16; the bytes are the same whatever they are called.
                view = piece.view(torch.uint8).numpy().data
                if file.readinto(view) != len(view):
                    raise CheckpointError(
                        f"{stored.path} ends inside tensor {stored.name}.",
                        "Download the file again; it changed while it was being read.",
                    )
                self._on_bytes(len(view))
        except OSError as error:
            raise _unreadable(stored.path, error) from error

    def _check(self, numbers: Tensor, stored: StoredTensor) -> None:
        if stored.name not in self.not_finite and not _is_finite(numbers):
            self.not_finite.append(stored.name)

    def _staging(self, count: int, dtype: torch.dtype) -> Tensor:
        """`count` numbers of one reused buffer: new ones for each tensor fragment the heap."""
        nbytes = count * dtype.itemsize
        if self._buffer.numel() < nbytes:
            self._buffer = torch.empty(nbytes, dtype=torch.uint8)
        return self._buffer[:nbytes].view(dtype)

    def _open(self, path: Path) -> BufferedReader:
        if self._file is None or self._path != path:
            self.close()
            self._file, self._path = path.open("rb"), path
        return self._file


def same_values(one: StoredTensor, other: StoredTensor) -> bool:
    """Whether two stored tensors are equal byte for byte.

    Raises:
        CheckpointError: a file cannot be read.
    """
    if (one.dtype, one.shape, one.strides) != (other.dtype, other.shape, other.strides):
        return False
    try:
        with one.path.open("rb") as file, other.path.open("rb") as second:
            file.seek(one.offset)
            second.seek(other.offset)
            left = one.nbytes
            while left:
                data = file.read(min(left, _COMPARED_BYTES))
                if not data or data != second.read(len(data)):
                    return False
                left -= len(data)
    except OSError as error:
        raise _unreadable(one.path, error) from error
    return True


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(f"{path} cannot be read.", "Check the disk it lies on.", str(error))


def _is_finite(tensor: Tensor) -> bool:
    # A sum is three times as fast as the exact answer and never finite if a value is not.
    # Half-precision sums may overflow by themselves, hence the second look.
    if tensor.numel() == 0 or tensor.sum().isfinite():
        return True
    low, high = tensor.aminmax()
    return bool(torch.isfinite(low) & torch.isfinite(high))
