"""Reads the large tables of an exported model into memory.

ONNX Runtime would map them from the file and look into it at every token. A mapped file that is
cut short under the app (an interrupted copy, an unplugged disk) ends the process; what was read
stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import FileIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gptdesk.errors import CheckpointError, OutOfMemoryError
from gptdesk.export.graph_guard import Table

_PIECE = 1 << 24  # bytes read between two reports


def read_tables(
    path: Path, tables: Iterable[Table], report: Callable[[int], None]
) -> dict[str, NDArray[np.float32]]:
    """The tables that lie in the weight file `path`, by name.

    Args:
        path: model.onnx.data.
        tables: from `check_graph`.
        report: told the bytes read so far, every few megabytes; may raise to stop.

    Raises:
        CheckpointError: the file ends early or cannot be read.
        OutOfMemoryError: there is no room for them.
    """
    done, result = 0, {}
    try:
        with path.open("rb", buffering=0) as file:
            for table in tables:
                file.seek(table.offset)
                value = np.empty(table.shape, dtype="<f4")
                for count in _fill(file, value):
                    done += count
                    report(done)
                result[table.name] = value
    except MemoryError as error:
        raise OutOfMemoryError(
            "There is not enough memory to load the model.",
            "Close other programs, or open a smaller model.",
            str(error),
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.", "Export or download the model again.", str(error)
        ) from error
    return result


def _fill(file: FileIO, value: NDArray[np.float32]) -> Iterable[int]:
    """Read bytes into all of `value`; yields the count of each piece."""
    left = value.data.cast("B")
    while len(left):
        count = file.readinto(left[:_PIECE])
        if not count:
            raise OSError("the file ends early")
        left = left[count:]
        yield count
