"""Batches cut into pieces that fit into memory, all of one shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gptdesk.training.batches import IGNORED, Batch


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Rows of one forward and backward pass: (rows, T) each; `segments` may be None."""

    inputs: Tensor
    targets: Tensor
    segments: Tensor | None


def cut(batch: Batch, most_rows: int, limit: int, *, segments: bool) -> list[MicroBatch]:
    """Cut a batch into as few pieces of equal shape as possible.

    Args:
        batch: the rows of this process.
        most_rows: rows of the process that has most of them: every process then cuts as many
            pieces, of one shape, which collective operations and compiled code rely on.
        limit: rows of one piece.
        segments: whether to hand on which document a token belongs to.

    Returns:
        Tensors on the CPU. What fills the last piece up counts nothing in the loss.
    """
    pieces = max(1, -(-most_rows // limit))
    rows = -(-most_rows // pieces)
    missing = pieces * rows - len(batch.inputs)
    inputs = _filled(batch.inputs, missing, 0)
    targets = _filled(batch.targets, missing, IGNORED)
    documents = _filled(batch.segments, missing, 0) if segments else [None] * pieces * rows
    return [
        MicroBatch(
            torch.from_numpy(inputs[start : start + rows]),
            torch.from_numpy(targets[start : start + rows]),
            torch.from_numpy(documents[start : start + rows])
            if isinstance(documents, np.ndarray)
            else None,
        )
        for start in range(0, pieces * rows, rows)
    ]


def _filled(array: NDArray[np.integer], missing: int, value: int) -> NDArray[np.integer]:
    if not missing:
        return np.ascontiguousarray(array)
    return np.pad(array, ((0, missing), (0, 0)), constant_values=value)
