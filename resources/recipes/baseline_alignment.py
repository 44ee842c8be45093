"""Translates word by word with what IBM Model 1 learns from pairs of sentences.

Brown et al. 1993, "The mathematics of statistical machine translation", section 4.2: every word of
the translation comes from some word of the source, or from none; which one, expectation
maximization finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

ROUNDS = 5
LONGEST = 60
"""Words of a sentence that is learnt from; longer ones tell little and cost much."""

_WORD = re.compile(r"\w+|[^\w\s]")
_EMPTY = 0  # number of the empty source word
_TIGHT_BEFORE = re.compile(r"\s+([.,;:?!)\]%…’'])")
_TIGHT_AFTER = re.compile(r"([(\[’'])\s+")


class WordTable:
    """The likeliest translation of every word.

    Args:
        pairs: sentences and their translations.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._source: dict[str, int] = {"": _EMPTY}
        self._target: dict[str, int] = {}
        keys, which, borders = self._links(pairs)
        words = list(self._target)
        sources, targets = np.divmod(keys, len(words))
        chances = _maximized(sources, which, borders)
        order = np.lexsort((chances, sources))  # the last of each source word is its best
        ends = order[np.flatnonzero(np.diff(sources[order], append=-1))]
        best = {int(sources[at]): words[int(targets[at])] for at in ends}
        self._best = {word: best[number] for word, number in self._source.items() if word}

    def translate(self, text: str) -> str:
        """The text with every word replaced; unknown ones stay."""
        written = []
        for word in _WORD.findall(text):
            found = self._best.get(word.lower(), word)
            written.append(found[:1].upper() + found[1:] if word[:1].isupper() else found)
        return _TIGHT_AFTER.sub(r"\1", _TIGHT_BEFORE.sub(r"\1", " ".join(written)))

    def _links(
        self, pairs: Iterable[tuple[str, str]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
        """Everything that may have been translated by everything beside it.

        Returns:
            keys: source number * size of the target's vocabulary + target number, sorted: one
                for each pair of words that ever stands in a pair of sentences.
            which: int32 [links] number of the key, the links of one target word side by side.
            borders: where the links of each target word begin.
        """
        found: list[tuple[list[int], list[int]]] = []
        for source, target in pairs:
            ours = sorted({word.lower() for word in _WORD.findall(source)})
            theirs = _lowered_start(_WORD.findall(target))
            if 0 < len(ours) <= LONGEST and 0 < len(theirs) <= LONGEST:
                numbers = [self._source.setdefault(word, len(self._source)) for word in ours]
                ends = [self._target.setdefault(word, len(self._target)) for word in theirs]
                found.append(([_EMPTY, *numbers], ends))
        size = len(self._target)
        parts, lengths = [], []
        for numbers, ends in found:
            parts.append(np.add.outer(np.array(ends), np.array(numbers) * size).ravel())
            lengths += [len(numbers)] * len(ends)
        keys, which = np.unique(np.concatenate(parts), return_inverse=True)
        borders = np.cumsum([0, *lengths[:-1]])
        return keys, which.astype(np.int32), borders


def _lowered_start(words: Sequence[str]) -> list[str]:
    """The words, the first in small letters: its capital says where it stands, not what it is."""
    return [word.lower() if at == 0 else word for at, word in enumerate(words)]


def _maximized(
    sources: NDArray[np.int64], which: NDArray[np.int32], borders: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Probability of the target word given the source word, for each pair of words."""
    lengths = np.diff(borders, append=len(which))
    chances = np.ones(len(sources), np.float32)
    for _ in range(ROUNDS):
        weights = chances[which]
        weights /= np.repeat(np.add.reduceat(weights, borders), lengths)
        counts = np.bincount(which, weights, len(sources))
        chances = (counts / np.bincount(sources, counts)[sources]).astype(np.float32)
    return chances
