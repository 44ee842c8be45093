"""Examples packed side by side into rows on disk, and batches of these rows.

folder/
    tokens.bin     uint16 or uint32 [rows, T + 1] ids
    scored.bin     uint8  [rows, T + 1] whether the loss counts the id
    segments.bin   uint16 [rows, T + 1] number of the example in its row
    rows.json      written last: the shape and what the rows were made from
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gptdesk import atomic
from gptdesk.errors import TrainingError
from gptdesk.training.batches import IGNORED, Batch, cut_rows, row_order
from gptdesk.training.instruction import Example
from gptdesk.training.shards import dtype_for, unwritable

INDEX_FILE = "rows.json"
_OPEN_ROWS = 64
_ARRAYS = {"tokens": "", "scored": "<u1", "segments": "<u2"}


@dataclass(frozen=True, slots=True)
class RowsIndex:
    """What a folder of rows holds.

    Attributes:
        rows, width: shape of the arrays; `width` is T + 1.
        dtype: of the tokens.
        examples: in all rows.
        source: fingerprint of what they were made from.
    """

    rows: int
    width: int
    dtype: str
    examples: int
    source: str


def write_rows(
    folder: Path,
    examples: Iterable[Example],
    *,
    context_length: int,
    vocab_size: int,
    end_id: int,
    source: str,
) -> RowsIndex:
    """Pack examples into rows of `context_length` + 1 ids and write them.

    Each goes into the first of some open rows that has room, whole: an answer never stands apart
    from its question. What remains of a row is padding, which the loss leaves out.

    Raises:
        TrainingError: the folder cannot be written or the disk is full.
    """
    dtype = dtype_for(vocab_size)
    packer = _Packer(context_length + 1, end_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX_FILE).unlink(missing_ok=True)
        with (
            (folder / "tokens.bin").open("wb") as tokens,
            (folder / "scored.bin").open("wb") as scored,
            (folder / "segments.bin").open("wb") as segments,
        ):
            for row in packer.rows(examples):
                tokens.write(row.tokens.astype(dtype).data)
                scored.write(row.scored.data)
                segments.write(row.segments.data)
        index = RowsIndex(packer.closed, context_length + 1, dtype, packer.examples, source)
        data = json.dumps(asdict(index)).encode()
        atomic.write_bytes(folder / INDEX_FILE, data)
    except OSError as error:
        raise unwritable(folder, error) from error
    return index


def read_rows_index(folder: Path) -> RowsIndex | None:
    """The index of a folder of rows; None when it is missing, damaged or not whole."""
    try:
        data: dict[str, Any] = json.loads((folder / INDEX_FILE).read_text("utf-8"))
        index = RowsIndex(**data)
        for name, dtype in _ARRAYS.items():
            wanted = index.rows * index.width * np.dtype(dtype or index.dtype).itemsize
            if (folder / f"{name}.bin").stat().st_size != wanted:
                return None
    except (OSError, ValueError, TypeError):
        return None
    return index


class InstructBatches:
    """Batches of packed examples; an epoch is every row once, in an order of its own.

    Args:
        folder: as `write_rows` left it.
        global_rows: rows of one step, all processes together.
        seed: of the order.

    Raises:
        TrainingError: the folder is incomplete or has no row.
    """

    def __init__(self, folder: Path, global_rows: int, seed: int) -> None:
        index = read_rows_index(folder)
        if index is None or not index.rows:
            raise TrainingError(
                f"The examples in {folder} are incomplete or none.",
                "Run the same command again; check the files below [instruct].",
            )
        self.context_length = index.width - 1
        self.global_rows = global_rows
        self.rows_per_epoch = index.rows
        self.bytes_per_token = 0.0
        self._seed = seed
        shape = (index.rows, index.width)
        self._tokens, self._scored, self._segments = (
            np.memmap(folder / f"{name}.bin", dtype or index.dtype, "r", shape=shape)
            for name, dtype in _ARRAYS.items()
        )

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        """As `Batches.batch`."""
        rows = [self._row(number) for number in cut_rows(step, self.global_rows, rank, world)]
        tokens = self._tokens[rows].astype(np.int64)  # (rows, T + 1)
        targets = np.where(self._scored[rows][:, 1:] != 0, tokens[:, 1:], IGNORED)
        segments = self._segments[rows][:, :-1].astype(np.int32)
        return Batch(np.ascontiguousarray(tokens[:, :-1]), targets, segments)

    def _row(self, number: int) -> int:
        epoch, position = divmod(number, self.rows_per_epoch)
        return int(row_order(self.rows_per_epoch, self._seed, 0, epoch)[position])


@dataclass(frozen=True, slots=True)
class _Row:
    """One row while it is filled; all arrays (T + 1,)."""

    tokens: NDArray[np.int64]
    scored: NDArray[np.uint8]
    segments: NDArray[np.uint16]


class _Packer:
    """First fit over a window of open rows."""

    def __init__(self, width: int, end_id: int) -> None:
        self._width = width
        self._end_id = end_id
        self._open: list[tuple[_Row, int, int]] = []  # row, ids used, examples in it
        self.closed = 0
        self.examples = 0

    def rows(self, examples: Iterable[Example]) -> Iterable[_Row]:
        """Yield rows as they leave the window."""
        for example in examples:
            self.examples += 1
            at = self._place(len(example.ids))
            if at is None:
                if len(self._open) == _OPEN_ROWS:
                    yield self._close(0)
                self._open.append((self._empty(), 0, 0))
                at = len(self._open) - 1
            self._open[at] = self._put(*self._open[at], example)
        while self._open:
            yield self._close(0)

    def _place(self, size: int) -> int | None:
        return next(
            (at for at, (_, used, _) in enumerate(self._open) if used + size <= self._width), None
        )

    def _empty(self) -> _Row:
        return _Row(
            np.full(self._width, self._end_id, np.int64),
            np.zeros(self._width, np.uint8),
            np.zeros(self._width, np.uint16),
        )

    def _put(self, row: _Row, used: int, number: int, example: Example) -> tuple[_Row, int, int]:
        end = used + len(example.ids)
        row.tokens[used:end] = example.ids
        row.scored[used : used + len(example.asked)] = example.asked
        row.scored[used + example.answer_start : end] = 1
        row.segments[used:end] = number
        row.segments[end:] = number + 1  # padding, until more comes
        return row, end, number + 1

    def _close(self, at: int) -> _Row:
        self.closed += 1
        return self._open.pop(at)[0]
