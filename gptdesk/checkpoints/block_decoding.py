"""Turning the blocks of quantized types back into numbers."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

DECODERS: dict[str, Callable[[Tensor], Tensor]] = {}
"""Type name to a function from uint8 (blocks, bytes of a block) to floats (blocks, numbers)."""
