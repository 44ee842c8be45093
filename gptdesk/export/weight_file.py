"""Streams tensors into the external data file of an ONNX model, one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import IO

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.folder import ONNX_DATA_FILE

_ALIGNMENT = 4096  # a page, so that a runtime can map each tensor into memory
_PIECE = 1 << 24  # bytes written between two looks at the cancel flag


class WeightFile:
    """Appends float32 tensors and hands out the ONNX descriptions that point to them.

    Args:
        file: open for writing bytes, at its start.
        report: called with the bytes written so far.
        cancel: looked at every few megabytes.
    """

    def __init__(
        self, file: IO[bytes], report: Callable[[int], None], cancel: CancelFlag | None
    ) -> None:
        self._file = file
        self._report = report
        self._cancel = cancel
        self._position = 0

    def write(self, name: str, parts: Iterable[NDArray[np.float32]]) -> TensorProto:
        """Write the parts, joined along their first dimension, behind what is there.

        Raises:
            Cancelled: the person stopped the export.
            OSError: the disk is full or failed.
        """
        self._append(bytes(-self._position % _ALIGNMENT))
        offset = self._position
        rows, rest = 0, tuple[int, ...]()
        for part in parts:
            rows, rest = rows + part.shape[0], part.shape[1:]
            data = np.ascontiguousarray(part, dtype="<f4").data.cast("B")
            for start in range(0, len(data), _PIECE):
                raise_if_cancelled(self._cancel)
                self._append(data[start : start + _PIECE])
                self._report(self._position)
        return _description(name, [rows, *rest], offset)

    def _append(self, data: bytes | memoryview) -> None:
        self._position += self._file.write(data)


def _description(name: str, shape: Sequence[int], offset: int) -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    place = {"location": ONNX_DATA_FILE, "offset": offset, "length": 4 * math.prod(shape)}
    for key, value in place.items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor
