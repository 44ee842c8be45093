"""The n-gram model: what counting gives. A network that does not beat it has learnt nothing.

Interpolated modified Kneser-Ney (Chen & Goodman 1999, "An empirical study of smoothing techniques
for language modeling", section 4.1): counts of the longest n-grams, below them the number of
different tokens that a shorter one follows, each with a discount for what was seen once, twice,
and more often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Order:
    """All n-grams of one length that the training text holds.

    Attributes:
        keys: context number * vocabulary size + token, sorted; the place is the n-gram's number.
        shares: what each n-gram keeps of its context's probability after the discount.
        left: by context number: what the discounts leave to the shorter context.
    """

    keys: Ids
    shares: Floats
    left: Floats


class NgramModel:
    """A model over token ids, made from one long text.

    Args:
        ids: the training text, int [N].
        vocab_size: ids are below it.
        order: tokens of the longest n-grams.
    """

    def __init__(self, ids: Ids, vocab_size: int, order: int) -> None:
        self._vocab_size = vocab_size
        numbers = np.zeros(len(ids) + 1, dtype=np.int64)  # of the context that ends before i
        grams: list[tuple[Ids, Ids, Ids]] = []  # keys, counts, first places, by length
        for length in range(1, order + 1):
            start = length - 1
            keys = numbers[start:-1] * vocab_size + ids[start:]
            unique, first, inverse, counts = np.unique(
                keys, return_index=True, return_inverse=True, return_counts=True
            )
            grams.append((unique, counts, first + start))
            numbers = np.full(len(ids) + 1, -1, dtype=np.int64)
            numbers[length:] = inverse
        self._orders = [
            self._make(grams, length, ids if length < order else None)
            for length in range(1, order + 1)
        ]

    def log_probabilities(self, ids: Ids) -> Floats:
        """Natural log-probability of every token but the first: float64 [len(ids) - 1]."""
        count = len(ids)
        probabilities = np.full(count, 1 / self._vocab_size)
        contexts = np.zeros(count, dtype=np.int64)  # number of the context that ends before i
        for order in self._orders:
            keys = contexts * self._vocab_size + ids
            places = np.minimum(np.searchsorted(order.keys, keys), len(order.keys) - 1)
            known = contexts >= 0
            found = known & (order.keys[places] == keys)
            shares = np.where(found, order.shares[places], 0.0)
            left = np.where(known, order.left[contexts], 1.0)
            probabilities = shares + left * probabilities
            numbers = np.where(found, places, -1)
            contexts = np.concatenate([[-1], numbers[:-1]])
        logs: Floats = np.log(probabilities[1:])
        return logs

    def _make(self, grams: list[tuple[Ids, Ids, Ids]], length: int, ids: Ids | None) -> _Order:
        """The order of one length; of shorter ones, what counts is how many tokens they follow."""
        keys, counts, _ = grams[length - 1]
        if ids is not None:
            counts = self._continuations(grams, length, ids)
        discounts = _discounts(counts)[np.minimum(counts, 3)]
        contexts = keys // self._vocab_size
        size = int(contexts.max()) + 1 if length == 1 else len(grams[length - 2][0])
        totals = np.bincount(contexts, counts, size)
        removed = np.bincount(contexts, np.minimum(discounts, counts), size)
        empty = totals == 0
        left = np.where(empty, 1.0, removed / np.where(empty, 1, totals))
        kept = np.maximum(counts - discounts, 0)
        shares = kept / np.maximum(totals[contexts], 1)
        return _Order(keys, shares, left)

    def _continuations(self, grams: list[tuple[Ids, Ids, Ids]], length: int, ids: Ids) -> Ids:
        """How many different tokens stand before each n-gram of this length."""
        keys = grams[length - 1][0]
        ends = grams[length][2]  # a first place of every longer n-gram
        numbers = np.zeros(len(ends), dtype=np.int64)
        for step in range(length):  # of the n-gram without its first token, by growing it
            level = grams[step][0]
            at = ends - (length - 1 - step)
            numbers = np.searchsorted(level, numbers * self._vocab_size + ids[at])
        return np.bincount(numbers, minlength=len(keys)).astype(np.int64)


def _discounts(counts: Ids) -> Floats:
    """What is taken off counts of 0, 1, 2, and 3 or more."""
    ones, twos, threes, fours = (max(1, int((counts == n).sum())) for n in (1, 2, 3, 4))
    share = ones / (ones + 2 * twos)
    values = [1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos]
    values.append(3 - 4 * share * fours / threes)
    return np.array([0.0, *np.clip(values, 0.05, [1.0, 2.0, 3.0])])
