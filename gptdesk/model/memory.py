"""Telling "out of memory" apart from torch's other RuntimeErrors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from gptdesk.errors import OutOfMemoryError

_PHRASES = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")


@contextlib.contextmanager
def memory_errors(doing: str) -> Iterator[None]:
    """Turn what torch raises when memory runs out into `OutOfMemoryError`.

    On a CPU torch raises a plain RuntimeError that only its text gives away.

    Args:
        doing: completes "Not enough memory …", such as "to load the model".
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        text = str(error).lower()
        if isinstance(error, RuntimeError) and not any(phrase in text for phrase in _PHRASES):
            raise
        raise OutOfMemoryError(
            f"Not enough memory {doing}.",
            "Close other programs, use a smaller model, or a lower precision.",
            str(error)[:2000],
        ) from error
