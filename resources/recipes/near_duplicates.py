"""Finds training text that also stands, almost word for word, in the text to be measured with.

Both texts are reduced to their letters and digits in lower case. Every window of `WIDTH` characters
of the measuring text is remembered by a 64-bit hash; of a training text windows are looked up that
lie end to end. A copy that is longer than two windows is met whatever its beginning, and a change
of a word spoils one window only.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

WIDTH = {"en": 32, "de": 32, "fr": 32, "zh": 12}
"""Characters of a window: some six words, or as many Chinese ones."""

SHARE = 0.5
"""A text is a near duplicate when more than this share of its windows is known."""

_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that it has an inverse modulo 2**64
_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))


class KnownText:
    """The windows of texts that training must not see.

    Args:
        texts: all of them.
        language: decides about the width of a window.
    """

    def __init__(self, texts: Iterable[str], language: str) -> None:
        self._width = WIDTH[language]
        parts = [_hashes(_letters(text), self._width, 1) for text in texts]
        self._known = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)

    def has_most_of(self, text: str) -> bool:
        """Whether the text is a near duplicate; one shorter than a window never is."""
        found = _hashes(_letters(text), self._width, self._width)
        if not len(found) or not len(self._known):
            return False
        at = np.minimum(np.searchsorted(self._known, found), len(self._known) - 1)
        return float(np.mean(self._known[at] == found)) > SHARE


def _letters(text: str) -> NDArray[np.uint64]:
    kept = "".join(filter(str.isalnum, text.lower()))
    return np.frombuffer(kept.encode("utf-32-le"), np.uint32).astype(np.uint64)


def _hashes(letters: NDArray[np.uint64], width: int, stride: int) -> NDArray[np.uint64]:
    """Rabin-Karp hashes of the windows that begin at every `stride`-th letter.

    A window's sum of letter × base^place is a difference of two running sums, brought to the same
    place by the inverse of the base; all of it modulo 2**64, where numpy wraps around.
    """
    count = len(letters) - width + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    powers = np.ones(len(letters) + 1, np.uint64)
    powers[1:] = _BASE
    powers = np.cumprod(powers, dtype=np.uint64)
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum((letters + np.uint64(1)) * powers[:-1], out=sums[1:])
    back = np.full(count, _INVERSE, np.uint64)
    back[0] = 1
    back = np.cumprod(back, dtype=np.uint64)
    starts = np.arange(0, count, stride)
    return (sums[starts + width] - sums[starts]) * back[starts]
