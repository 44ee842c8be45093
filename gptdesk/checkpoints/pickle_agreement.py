"""A second opinion on pickled weights: PyTorch must see the tensors that `pickle_header` saw.

`torch.load` with `weights_only` and `mmap` unpickles the description and maps the file, and reads
no weight. It runs only after `pickle_header` has found nothing in the file but plain values and
tensors inside their storages: alone, it can still be made to allocate any amount of memory, or to
compute for ever. What it returns is compared and let go, so no mapping outlives this check; the
weights are read like those of any other format, and a file cut short meanwhile is an error and no
SIGBUS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from gptdesk.checkpoints.pickle_header import named_tensors, read_header
from gptdesk.checkpoints.stored_tensor import StoredTensor
from gptdesk.checkpoints.tensor_reader import DTYPES
from gptdesk.errors import CheckpointError


def check_agreement(paths: Iterable[Path]) -> None:
    """Refuse pickled weights of which PyTorch's own reader gives another account.

    Raises:
        CheckpointError: it refuses the file, or sees other tensors or other places.
    """
    for path in paths:
        header = read_header(path)
        try:
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except Exception as error:
            raise _differs(path, f"torch.load: {str(error)[:1000]}") from error
        _compare(path, header, dict(named_tensors(content, Tensor)))


def _compare(path: Path, header: Mapping[str, StoredTensor], loaded: Mapping[str, Tensor]) -> None:
    if header.keys() != loaded.keys():
        raise _differs(path, "the names of its tensors")
    starts = set()  # of the mapped file in memory, as each tensor would have it
    for name, tensor in loaded.items():
        stored = header[name]
        if not _alike(stored, tensor):
            raise _differs(path, f"tensor {name}")
        if tensor.numel():
            starts.add(tensor.data_ptr() - stored.offset)
    if len(starts) > 1:
        raise _differs(path, "the places of its tensors")


def _alike(stored: StoredTensor, tensor: Tensor) -> bool:
    strides = tensor.stride() if stored.strides is None else stored.strides
    dtype = DTYPES.get(stored.dtype, tensor.dtype)  # of the others only the names count
    return (tensor.dtype, tuple(tensor.shape), tensor.stride()) == (
        dtype,
        stored.shape,
        strides,
    ) and tensor.is_contiguous() == (stored.strides is None)


def _differs(path: Path, what: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is damaged: PyTorch reads it in another way than its contents say.",
        "Download the file again, or look for model.safetensors of the same model.",
        what,
    )
