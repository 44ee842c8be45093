"""Tokens on disk: whole or absent, and gone on with after any kind of end."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gptdesk.errors import TrainingError
from gptdesk.training import shards
from gptdesk.training.shards import (
    INDEX_FILE,
    PROGRESS_FILE,
    Index,
    ShardWriter,
    TokenShards,
    documents_of,
    dtype_for,
    is_finished,
)

INDEX = Index(dtype="<u2", vocab_size=500, end_id=0, tokenizer="t", source="s")
DOCUMENTS = [[1 + number % 400] * (number % 7) for number in range(40)]


def write(folder: Path, index: Index = INDEX, until: int | None = None) -> TokenShards | None:
    writer = ShardWriter(folder, index, shard_tokens=30)
    for number, ids in enumerate(DOCUMENTS[:until]):
        if number >= writer.documents_done:
            writer.add(ids, 2 * len(ids))
    return writer.finish() if until is None else None


def read(folder: Path) -> list[list[int]]:
    return [document.tolist() for document in documents_of(TokenShards(folder))]


def test_documents_come_back(tmp_path: Path) -> None:
    found = write(tmp_path)
    assert found is not None
    assert read(tmp_path) == [[*ids, 0] for ids in DOCUMENTS]
    assert len(found.index.shards) > 3
    assert found.index.documents == 40
    assert found.index.bytes == 2 * (found.index.tokens - 40)
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / PROGRESS_FILE).exists()


def test_large_vocabularies_take_four_bytes(tmp_path: Path) -> None:
    assert (dtype_for(65_536), dtype_for(65_537)) == ("<u2", "<u4")
    writer = ShardWriter(tmp_path, replace(INDEX, dtype="<u4", vocab_size=200_000))
    writer.add([199_999], 1)
    assert [array.tolist() for array in writer.finish().arrays] == [[199_999, 0]]


def test_an_interrupted_writer_is_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path / "whole")
    write(tmp_path / "cut", until=25)
    assert not is_finished(tmp_path / "cut", INDEX)
    with pytest.raises(TrainingError, match="incomplete"):
        TokenShards(tmp_path / "cut")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").glob("shard-*")}
    assert before
    write(tmp_path / "cut")
    assert read(tmp_path / "cut") == read(tmp_path / "whole")
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("change", [{"source": "other"}, {"tokenizer": "other"}, {"end_id": 3}])
def test_tokens_of_another_origin_are_made_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    write(tmp_path, until=25)
    other = replace(INDEX, **change)
    assert ShardWriter(tmp_path, other).documents_done == 0
    assert not list(tmp_path.glob("shard-*"))


@pytest.mark.parametrize("size", [0, 10])
def test_a_file_that_lost_its_end_is_noticed(tmp_path: Path, size: int) -> None:
    write(tmp_path)
    victim = tmp_path / "shard-00001.bin"
    victim.write_bytes(victim.read_bytes()[:size])
    assert not is_finished(tmp_path, INDEX)
    with pytest.raises(TrainingError, match="incomplete"):
        TokenShards(tmp_path)
    write(tmp_path)
    assert len(read(tmp_path)) == 40


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shards": 3}', '{"shards": [{"x": 1}]}'])
def test_a_damaged_index_counts_as_none(tmp_path: Path, text: str) -> None:
    write(tmp_path)
    (tmp_path / INDEX_FILE).write_text(text)
    assert not is_finished(tmp_path, INDEX)


class FullDisk:
    """Stands for a file on a disk that has room for two writes."""

    def __init__(self, file: Any) -> None:
        self._file, self._left = file, 2

    def write(self, data: Any) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(self._file.write(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    real = Path.open

    def open_full(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        file = real(path, mode, *rest, **options)
        return FullDisk(file) if path.name.startswith(".shard-00002") else file

    monkeypatch.setattr(Path, "open", open_full)
    return


def test_a_full_disk_is_said_and_nothing_half_written_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_disk: None
) -> None:
    with pytest.raises(TrainingError, match="No space left") as caught:
        write(tmp_path)
    assert "room on the disk" in caught.value.hint
    assert sorted(path.name for path in tmp_path.glob("*shard-*")) == [
        "shard-00000.bin",
        "shard-00001.bin",
    ]
    monkeypatch.undo()
    write(tmp_path)
    assert read(tmp_path) == [[*ids, 0] for ids in DOCUMENTS]


def test_reading_maps_rather_than_loads(tmp_path: Path) -> None:
    found = write(tmp_path)
    assert found is not None
    assert all(isinstance(array, np.memmap) for array in found.arrays)
    assert shards.SHARD_TOKENS * 2 <= 64 << 20
