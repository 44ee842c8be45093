"""The external data file: where tensors lie, and that they arrive one at a time."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import Cancelled
from gptdesk.export.weight_file import WeightFile


def _place(tensor: object) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def test_tensors_begin_at_pages_and_read_back() -> None:
    file, done = io.BytesIO(), []
    weights = WeightFile(file, done.append, None)
    first = np.arange(6, dtype=np.float32).reshape(2, 3)
    second = np.full((1, 3), 7, dtype=np.float32)
    places = [weights.write("a", [first]), weights.write("b", [first.T.T, second])]
    assert [list(tensor.dims) for tensor in places] == [[2, 3], [3, 3]]
    assert [int(_place(tensor)["offset"]) % 4096 for tensor in places] == [0, 0]
    place = _place(places[1])
    offset, length = int(place["offset"]), int(place["length"])
    data = file.getvalue()[offset : offset + length]
    assert np.array_equal(np.frombuffer(data, "<f4").reshape(3, 3), np.concatenate([first, second]))
    assert done == sorted(done)
    assert done[-1] == len(file.getvalue())


def test_a_transposed_view_is_written_in_its_own_order() -> None:
    file = io.BytesIO()
    value = np.arange(6, dtype=np.float32).reshape(2, 3).T
    WeightFile(file, lambda _: None, None).write("a", [value])
    assert np.array_equal(np.frombuffer(file.getvalue(), "<f4").reshape(3, 2), value)


def test_parts_are_taken_one_at_a_time() -> None:
    def parts() -> Iterator[np.ndarray]:
        for _ in range(20):
            yield np.zeros((1000, 1000), dtype=np.float32)

    class Sink(io.RawIOBase):
        def write(self, data: object) -> int:
            return len(data)

    tracemalloc.start()
    WeightFile(Sink(), lambda _: None, None).write("a", parts())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 4_000_000, "two parts at the most, of twenty"


def test_cancel_stops_within_a_tensor() -> None:
    flag, done = ThreadCancelFlag(), []

    def report(count: int) -> None:
        done.append(count)
        flag.set()

    with pytest.raises(Cancelled):
        WeightFile(io.BytesIO(), report, flag).write("a", [np.zeros(1 << 23, dtype=np.float32)])
    assert done == [1 << 24]
