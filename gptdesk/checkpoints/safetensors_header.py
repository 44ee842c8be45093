"""Reading the header of a safetensors file: names, types, shapes and places, no weights.

Format: 8 bytes little-endian length N, N bytes of JSON, then the data
(https://huggingface.co/docs/safetensors). Every size is checked against the file's before anyone
allocates: a header may claim anything.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from gptdesk.checkpoints.placeholders import placeholder_error
from gptdesk.checkpoints.stored_tensor import ITEM_BYTES, StoredTensor
from gptdesk.errors import CheckpointError

_MAX_HEADER_BYTES = 16 << 20  # a model of 100,000 tensors needs about 12
_MAX_DIMENSION = 1 << 48
_MAX_NAME = 500


def read_header(path: Path) -> dict[str, StoredTensor]:
    """All tensors of one safetensors file, in file order.

    Raises:
        CheckpointError: the file is truncated, damaged or not safetensors.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _MAX_HEADER_BYTES):
                raise _damaged(path, f"its header claims {length} bytes, the file has {size}")
            header = json.loads(file.read(length))
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.", "Check that you may read it.", str(error)
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is not a JSON object")
    header.pop("__metadata__", None)
    tensors = [_parse(path, name, entry, 8 + length) for name, entry in header.items()]
    _check_layout(path, tensors, 8 + length, size)
    return {tensor.name: tensor for tensor in tensors}


def _parse(path: Path, name: str, entry: Any, base: int) -> StoredTensor:
    if not name.isprintable() or len(name) > _MAX_NAME:
        raise _damaged(path, f"it holds a tensor of the name {name[:40]!r}")
    entry = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    described = isinstance(dtype, str) and _naturals(shape) and _naturals(offsets)
    if not described or len(offsets) != 2:
        raise _damaged(path, f"the entry of tensor {name!r} is not valid")
    if dtype not in ITEM_BYTES:
        raise CheckpointError(
            f"{path}: tensor {name} is stored as {dtype[:40]!r}, which gptdesk cannot read.",
            "Look for a version of this model in float32, float16 or bfloat16.",
        )
    nbytes = offsets[1] - offsets[0]
    if math.prod(shape) * ITEM_BYTES[dtype] != nbytes:
        raise _damaged(path, f"tensor {name!r}: shape {shape} does not fill {nbytes} bytes")
    return StoredTensor(name, path, dtype, tuple(shape), base + offsets[0], nbytes)


def _naturals(value: Any) -> bool:
    return isinstance(value, list) and all(
        type(number) is int and 0 <= number < _MAX_DIMENSION for number in value
    )


def _check_layout(path: Path, tensors: list[StoredTensor], start: int, size: int) -> None:
    """Tensors must fill the data without holes or overlaps, as the format demands."""
    position = start
    for tensor in sorted(tensors, key=lambda item: (item.offset, item.nbytes)):
        if tensor.offset != position:
            raise _damaged(path, f"tensor {tensor.name!r} overlaps another or leaves a hole")
        position += tensor.nbytes
    if position != size:
        raise _damaged(path, f"its header describes {position} bytes, the file has {size}")


def _damaged(path: Path, why: str) -> CheckpointError:
    return placeholder_error(path) or CheckpointError(
        f"{path} is damaged or not a safetensors file.",
        "Download the file again; an interrupted download leaves it incomplete.",
        why,
    )
