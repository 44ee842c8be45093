"""Batches as pure functions of the seed and the number of the step.

Nothing is remembered between steps: training resumed at step 1,000 sees what it would have seen,
and the same rows make up a step whatever the number of processes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
