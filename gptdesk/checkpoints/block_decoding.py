"""Turning the blocks of quantized types back into numbers.

The types are those of GGML (https://github.com/ggml-org/ggml, ggml-common.h). A block of 32
numbers has one scale; a block of 256, of the K kinds, has eight or sixteen groups with small
scales of their own, which the block's scale multiplies. The arithmetic is 32-bit and in the order
of the reference (`gguf.quants`), so that every number is the same to the last bit.

Letters: N blocks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_K_NUMBERS = 256


def _halves(raw: Tensor) -> Tensor:
    """16-bit floats, two bytes each, as 32-bit ones."""
    return raw.contiguous().view(torch.float16).float()


def _nibbles(raw: Tensor, run: int) -> Tensor:
    """Four-bit numbers: of each `run` bytes first all low halves, then all high ones.

    Returns:
        (N, 2 * bytes), of the type of `raw`.
    """
    runs = raw.reshape(len(raw), -1, 1, run)
    return torch.cat((runs & 15, runs >> 4), dim=2).view(len(raw), -1)


def _bits(raw: Tensor, width: int, run: int) -> Tensor:
    """Numbers of `width` bits: of each `run` bytes first all lowest ones, and so on.

    Returns:
        (N, 8 // width * bytes)
    """
    runs = raw.reshape(len(raw), -1, 1, run)
    shifts = torch.arange(0, 8, width, dtype=torch.uint8).view(-1, 1)
    numbers: Tensor = (runs >> shifts) & (2**width - 1)
    return numbers.view(len(raw), -1)


def _q8_0(raw: Tensor) -> Tensor:
    """A scale, 32 numbers of 8 bits."""
    scale = _halves(raw[:, :2])  # (N, 1)
    return raw[:, 2:].view(torch.int8).float().mul_(scale)


def _q4_0(raw: Tensor) -> Tensor:
    """A scale, 32 numbers of 4 bits, 8 standing for zero."""
    scale = _halves(raw[:, :2])  # (N, 1)
    return _nibbles(raw[:, 2:], 16).float().sub_(8).mul_(scale)


def _q4_1(raw: Tensor) -> Tensor:
    """A scale, a least value, 32 numbers of 4 bits."""
    both = _halves(raw[:, :4])  # (N, 2)
    return _nibbles(raw[:, 4:], 16).float().mul_(both[:, :1]).add_(both[:, 1:])


def _q5_0(raw: Tensor) -> Tensor:
    """A scale, the fifth bits of 32 numbers in 4 bytes, the other four; 16 stands for zero."""
    numbers = _nibbles(raw[:, 6:], 16) | (_bits(raw[:, 2:6], 1, 1) << 4)
    return numbers.float().sub_(16).mul_(_halves(raw[:, :2]))


def _q5_1(raw: Tensor) -> Tensor:
    """As `_q5_0`, with a least value behind the scale in place of a number for zero."""
    both = _halves(raw[:, :4])  # (N, 2)
    numbers = _nibbles(raw[:, 8:], 16) | (_bits(raw[:, 4:8], 1, 1) << 4)
    return numbers.float().mul_(both[:, :1]).add_(both[:, 1:])


def _q4_k(raw: Tensor) -> Tensor:
    """Two scales, 12 bytes of groups' scales, 256 numbers of 4 bits."""
    return _scaled_from_least(raw[:, :16], _nibbles(raw[:, 16:], 32))


def _q5_k(raw: Tensor) -> Tensor:
    """As `_q4_k`, with the fifth bits of all numbers in 32 bytes before the other four."""
    fifth = _bits(raw[:, 16:48], 1, 32)
    return _scaled_from_least(raw[:, :16], _nibbles(raw[:, 48:], 32) | (fifth << 4))


def _q6_k(raw: Tensor) -> Tensor:
    """Low four bits, high two bits, 16 scales of 8 bits, the block's scale; 32 means zero."""
    numbers = _nibbles(raw[:, :128], 64) | (_bits(raw[:, 128:192], 2, 32) << 4)
    scales = _halves(raw[:, 208:]) * raw[:, 192:208].view(torch.int8)  # (N, 16)
    groups = numbers.float().sub_(32).view(len(raw), 16, 16)
    return groups.mul_(scales.unsqueeze(2)).view(len(raw), _K_NUMBERS)


def _scaled_from_least(head: Tensor, numbers: Tensor) -> Tensor:
    """Eight groups, each with a scale and a least value.

    Args:
        head: (N, 16) bytes: the scale of scales, the scale of least values, and 6 bits of each
            for eight groups in 12 bytes.
        numbers: (N, 256), from 0 up.
    """
    first, second, third = head[:, 4:8], head[:, 8:12], head[:, 12:16]  # (N, 4)
    small = torch.cat((first & 63, (third & 15) | ((first >> 2) & 48)), dim=1)  # (N, 8)
    least = torch.cat((second & 63, (third >> 4) | ((second >> 2) & 48)), dim=1)
    both = _halves(head[:, :4])  # (N, 2)
    scales = (both[:, :1] * small).unsqueeze(2)  # (N, 8, 1)
    offsets = (both[:, 1:] * least).unsqueeze(2)
    groups = numbers.view(len(head), 8, 32).float()
    return groups.mul_(scales).sub_(offsets).view(len(head), _K_NUMBERS)


DECODERS: dict[str, Callable[[Tensor], Tensor]] = {
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q8_0": _q8_0,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
}
"""Type name to a function from uint8 (blocks, bytes of a block) to floats (blocks, numbers)."""
