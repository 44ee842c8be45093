"""The n-gram model: what counting gives. A network that does not beat it has learnt nothing.

Interpolated modified Kneser-Ney (Chen & Goodman 1999, "An empirical study of smoothing techniques
for language modeling", section 4.1): counts of the longest n-grams, below them the number of
different tokens that a shorter one follows, each with a discount for what was seen once, twice,
and more often. What begins a text follows nothing else and keeps its plain count (Heafield et al.
2013, "Scalable modified Kneser-Ney language model estimation", section 3).

Every n-gram is a sorted 64-bit key: number of its context times the size of the vocabulary, plus
its last token. Sixty million tokens of text take some six gigabytes while they are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]
Keys = NDArray[np.int64]
Places = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Order:
    """All n-grams of one length that the training text holds.

    Attributes:
        keys: context number * vocabulary size + token, sorted; the place is the n-gram's number.
        shares: what each n-gram keeps of its context's probability after the discount.
        left: by context number: what the discounts leave to the shorter context.
    """

    keys: Keys
    shares: NDArray[np.float32]
    left: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Level:
    """The n-grams of one length while they are counted.

    Attributes:
        keys: as of `_Order`.
        counts: how often each occurs.
        first: where in the text one occurrence of each ends.
        numbers: int32 [N]: number of the n-gram that ends here, where the text has one.
    """

    keys: Keys
    counts: Keys
    first: Places
    numbers: Places


class NgramModel:
    """A model over token ids, made from texts that lie end to end.

    Args:
        ids: of all texts, int [N]; N below 2^31.
        vocab_size: ids are below it.
        order: tokens of the longest n-grams.
        starts: bool [N], where a text begins. No n-gram reaches across, and the first id of a text
            is a context only, as an end-of-text id is. None: all is one text.
    """

    def __init__(
        self, ids: Ids, vocab_size: int, order: int, starts: NDArray[np.bool_] | None = None
    ) -> None:
        self._vocab_size = vocab_size
        reach = _reach(len(ids), starts, order)
        level = _single_tokens(ids, reach, vocab_size)
        contexts = 1  # of the level
        self._orders: list[_Order] = []
        for length in range(2, order + 1):
            longer = _grown(level, ids, reach, length, vocab_size)
            counts = _continuations(level, longer, reach, length - 1)
            self._orders.append(_smoothed(level.keys, counts, contexts, vocab_size))
            contexts, level = len(level.keys), longer
        self._orders.append(_smoothed(level.keys, level.counts, contexts, vocab_size))

    def log_probabilities(self, ids: Ids) -> Floats:
        """Natural log-probability of every token but the first: float64 [len(ids) - 1]."""
        count = len(ids)
        probabilities = np.full(count, 1 / self._vocab_size)
        contexts = np.zeros(count, dtype=np.int64)  # number of the context that ends before i
        for order in self._orders:
            if not len(order.keys):
                break  # no text is so long
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


def _reach(count: int, starts: NDArray[np.bool_] | None, order: int) -> NDArray[np.int8]:
    """How many ids before each belong to its text, at most `order`: int8 [N]."""
    places = np.arange(count, dtype=np.int32)
    latest = np.zeros(count, np.int32) if starts is None else np.where(starts, places, 0)
    np.maximum.accumulate(latest, out=latest)
    return np.minimum(places - latest, order).astype(np.int8)


def _single_tokens(ids: Ids, reach: NDArray[np.int8], vocab_size: int) -> _Level:
    """The level of length 1, which has every id, so that an id is its number."""
    keys = np.arange(vocab_size, dtype=np.int64)
    counts = np.bincount(ids[reach > 0], minlength=vocab_size)
    return _Level(keys, counts, np.zeros(0, np.int32), ids.astype(np.int32))


def _grown(
    level: _Level, ids: Ids, reach: NDArray[np.int8], length: int, vocab_size: int
) -> _Level:
    """The n-grams of this length, given those that are shorter by one."""
    ends = np.flatnonzero(reach >= length - 1).astype(np.int32)
    keys = level.numbers[ends - 1].astype(np.int64) * vocab_size + ids[ends]
    sorting = np.argsort(keys)
    keys, ends = keys[sorting], ends[sorting]
    del sorting
    new = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    numbers = np.full(len(ids), -1, np.int32)
    numbers[ends] = np.cumsum(new, dtype=np.int32) - 1
    counts = np.diff(np.flatnonzero(new), append=len(keys))
    return _Level(keys[new], counts, ends[new], numbers)


def _continuations(level: _Level, longer: _Level, reach: NDArray[np.int8], length: int) -> Keys:
    """How many different tokens stand before each n-gram of this length.

    At the start of a text nothing can; there every occurrence counts.
    """
    size = len(level.keys)
    counts = np.bincount(level.numbers[longer.first], minlength=size)
    if length > 1:
        counts += np.bincount(level.numbers[reach == length - 1], minlength=size)
    return counts


def _smoothed(keys: Keys, counts: Keys, contexts: int, vocab_size: int) -> _Order:
    """Counts, discounted; `contexts` is how many n-grams there are that are shorter by one."""
    discounts = _discounts(counts)[np.minimum(counts, 3)]
    numbers = keys // vocab_size
    totals = np.bincount(numbers, counts, contexts)
    removed = np.bincount(numbers, np.minimum(discounts, counts), contexts)
    empty = totals == 0
    left = np.where(empty, 1.0, removed / np.where(empty, 1, totals))
    shares = np.maximum(counts - discounts, 0) / np.maximum(totals[numbers], 1)
    return _Order(keys, shares.astype(np.float32), left.astype(np.float32))


def _discounts(counts: Keys) -> Floats:
    """What is taken off counts of 0, 1, 2, and 3 or more."""
    ones, twos, threes, fours = (max(1, int((counts == n).sum())) for n in (1, 2, 3, 4))
    share = ones / (ones + 2 * twos)
    values = [1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos]
    values.append(3 - 4 * share * fours / threes)
    return np.array([0.0, *np.clip(values, 0.05, [1.0, 2.0, 3.0])])
