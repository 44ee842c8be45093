"""What every weight format comes down to: a name, a type, a shape and a place in a file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64"), 8),
}
FLOAT_TYPES = ("F32", "F16", "BF16", "F64")
BLOCK_TYPES = {
    "Q4_0": (32, 18),
    "Q4_1": (32, 20),
    "Q5_0": (32, 22),
    "Q5_1": (32, 24),
    "Q8_0": (32, 34),
    "Q4_K": (256, 144),
    "Q5_K": (256, 176),
    "Q6_K": (256, 210),
}
"""Types that store numbers in blocks: name to (numbers, bytes) of one block."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies.

    Attributes:
        name: as in the file.
        path: of the file.
        dtype: the name of its type, such as "BF16" or "Q4_K".
        shape: dimensions.
        offset: of its first byte from the start of the file.
        nbytes: length in bytes.
        strides: numbers to step over for the next index of each dimension, for a view that does
            not lie there row by row; None for one that does.
    """

    name: str
    path: Path
    dtype: str
    shape: tuple[int, ...]
    offset: int
    nbytes: int
    strides: tuple[int, ...] | None = None


def stored_bytes(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor that lies row by row; its rows hold whole blocks."""
    numbers = math.prod(shape)
    if dtype in BLOCK_TYPES:
        per_block, nbytes = BLOCK_TYPES[dtype]
        return numbers // per_block * nbytes
    return numbers * ITEM_BYTES[dtype]
