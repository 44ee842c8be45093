"""Tables read into memory: their values, their progress, and files that changed meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gptdesk.errors import Cancelled, CheckpointError
from gptdesk.export.graph_guard import Table
from gptdesk.export.tables import read_tables


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx.data"
    path.write_bytes(np.arange(1000, dtype="<f4").tobytes())
    return path


def test_values_and_progress(file: Path) -> None:
    tables, done = [Table("a", (2, 3), 0), Table("b", (10, 10), 400)], []
    read = read_tables(file, tables, done.append)
    assert read["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert np.array_equal(read["b"], np.arange(100, 200).reshape(10, 10))
    assert done == [24, 424]


def test_a_file_that_became_shorter(file: Path) -> None:
    os.truncate(file, 500)
    with pytest.raises(CheckpointError, match=r"model\.onnx\.data") as caught:
        read_tables(file, [Table("b", (10, 10), 400)], lambda _: None)
    assert "early" in caught.value.details


def test_a_file_that_went_away(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="gone"):
        read_tables(tmp_path / "gone", [Table("b", (1, 1), 0)], lambda _: None)


def test_a_report_that_raises_stops_the_reading(file: Path) -> None:
    def report(_: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_tables(file, [Table("a", (2, 3), 0)], report)
