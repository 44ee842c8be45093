"""Batches as pure functions of the seed and the number of the step.

Nothing is remembered between steps: training resumed at step 1,000 sees what it would have seen,
and the same rows make up a step whatever the number of processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gptdesk.errors import TrainingError
from gptdesk.training.shards import TokenShards

IGNORED = -100
"""Target of a position that the loss leaves out, as `torch.nn.functional.cross_entropy` has it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of tokens.

    Attributes:
        inputs: int64 (rows, T) ids.
        targets: int64 (rows, T) the id that follows each input, or `IGNORED`.
        segments: int32 (rows, T) number of the document within its row, from 0, never falling.
            Attention stays inside a segment. An end-of-text id as input belongs to the document
            that it precedes: it is what the first token is predicted from.
    """

    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]
    segments: NDArray[np.int32]


class Batches(Protocol):
    """A source of batches, the same for every process and after every restart.

    Attributes:
        context_length: T, tokens of a row.
        global_rows: rows of one step, all processes together.
        rows_per_epoch: rows after which everything was seen once (weighted sources: as often as
            their weights say).
        bytes_per_token: mean UTF-8 bytes of text that a target stands for; 0 when unknown.
    """

    context_length: int
    global_rows: int
    rows_per_epoch: int
    bytes_per_token: float

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """The rows of process `rank` of `world` in step `step`, counted from 0.

        The global batch is cut into `world` contiguous parts that differ by at most one row.
        """
        ...


class PackedBatches:
    """Rows cut out of documents that lie end to end.

    A row is `context_length` ids and the one that follows. Rows of a shard overlap by that one;
    the last one ends with the shard, so that no token is left out. In one epoch a source gives
    `weight` times its rows, all of them before any again.

    Args:
        sources: shards and their weights; the shards share a tokenizer.
        context_length: T.
        global_rows: rows of one step, all processes together.
        seed: of the order.

    Raises:
        TrainingError: there is not a single document.
    """

    def __init__(
        self,
        sources: Sequence[tuple[TokenShards, float]],
        context_length: int,
        global_rows: int,
        seed: int,
    ) -> None:
        self.context_length = context_length
        self.global_rows = global_rows
        self._seed = seed
        self._sources = [
            _RowSource(shards, context_length, weight)
            for shards, weight in sources
            if shards.index.tokens > 1
        ]
        if not self._sources:
            raise TrainingError("There is no text to train on.", "Name more text below [data].")
        self.rows_per_epoch = sum(source.share for source in self._sources)
        tokens = sum(shards.index.tokens for shards, _ in sources)
        self.bytes_per_token = sum(shards.index.bytes for shards, _ in sources) / tokens
        self._borders = np.cumsum([0, *(source.share for source in self._sources)])

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """As `Batches.batch`."""
        numbers = cut_rows(step, self.global_rows, rank, world)
        tokens = np.empty((len(numbers), self.context_length + 1), np.int64)  # (rows, T + 1)
        masked = np.zeros(len(numbers), np.int64)
        for row, number in enumerate(numbers):
            source, place = self._find(number)
            masked[row] = source.read(place, tokens[row])
        return _batch(tokens, masked, self._sources[0].end_id)

    def _find(self, number: int) -> tuple[_RowSource, int]:
        """The source of a row of the endless sequence, and which of its rows it is."""
        epoch, position = divmod(number, self.rows_per_epoch)
        element = int(row_order(self.rows_per_epoch, self._seed, 0, epoch)[position])
        which = int(np.searchsorted(self._borders, element, side="right")) - 1
        source = self._sources[which]
        drawn = epoch * source.share + element - int(self._borders[which])
        own_epoch, own_position = divmod(drawn, source.rows)
        return source, int(row_order(source.rows, self._seed, which + 1, own_epoch)[own_position])


class _RowSource:
    """Numbers the rows of some shards.

    Attributes:
        rows: how many there are.
        share: how many of them, repeats counted, make up an epoch.
        end_id: the id that ends a document.
    """

    def __init__(self, shards: TokenShards, context_length: int, weight: float) -> None:
        self._arrays = [array for array in shards.arrays if len(array) > 1]
        self._context = context_length
        counts = [-(-(len(array) - 1) // context_length) for array in self._arrays]
        self._borders = np.cumsum([0, *counts])
        self.rows = sum(counts)
        self.share = max(1, round(self.rows * weight))
        self.end_id = shards.index.end_id

    def read(self, number: int, out: NDArray[np.int64]) -> int:
        """Copy row `number` into `out` (T + 1,); returns how many ids at its end are padding."""
        which = int(np.searchsorted(self._borders, number, side="right")) - 1
        array = self._arrays[which]
        start = (number - int(self._borders[which])) * self._context
        start = max(0, min(start, len(array) - 1 - self._context))
        part = array[start : start + self._context + 1]
        out[: len(part)] = part
        out[len(part) :] = self.end_id
        return self._context + 1 - len(part)


@lru_cache(maxsize=16)
def row_order(rows: int, seed: int, source: int, epoch: int) -> NDArray[np.uint32]:
    """A permutation of the rows that is the same whoever asks."""
    rng = np.random.Generator(np.random.PCG64([seed, source, epoch]))
    return rng.permutation(np.arange(rows, dtype=np.uint32))


def cut_rows(step: int, global_rows: int, rank: int, world: int) -> range:
    """The numbers, in the endless sequence of rows, of one process's part of a step."""
    first = step * global_rows
    return range(first + global_rows * rank // world, first + global_rows * (rank + 1) // world)


def _batch(tokens: NDArray[np.int64], masked: NDArray[np.int64], end_id: int) -> Batch:
    """Inputs, targets and segments of rows (rows, T + 1) with `masked` ids of padding each."""
    inputs, targets = tokens[:, :-1], tokens[:, 1:].copy()
    length = targets.shape[1]
    padding = np.arange(length) >= length - masked[:, None]  # (rows, T)
    targets[padding] = IGNORED
    starts = inputs == end_id
    starts[:, 0] = False
    return Batch(inputs, targets, np.cumsum(starts, axis=1, dtype=np.int32))
