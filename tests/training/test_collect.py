"""Documents out of files of every kind, and what is left out of them."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.errors import TrainingError
from gptdesk.training.collect import (
    HASH_RANGE,
    Collector,
    Inventory,
    SeenHashes,
    document_hash,
    held_out_below,
)
from gptdesk.training.config import DataSettings, SourceSettings
from gptdesk.training.sources import find_sources, fingerprint

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".xz": lzma.compress,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
}


def collector(path: Path | str, text_key: str = "text", **settings: Any) -> Collector:
    sources = find_sources([SourceSettings(path=str(path), text_key=text_key)])
    return Collector(sources, DataSettings(train=("unused",), **settings))


def texts(path: Path | str, **settings: Any) -> list[str]:
    return [text for _, _, text in collector(path, **settings).documents()]


@pytest.mark.parametrize("ending", PACKERS)
def test_files_are_read_packed_or_not(tmp_path: Path, ending: str) -> None:
    pack = PACKERS[ending]
    prose = "one\r\n\r\ntwo\n<|endoftext|>\nthree é 灯\n<|endoftext|>\n"
    rows = "\n".join(json.dumps({"text": text}) for text in ("four", "five\r\nsix")) + "\n\n"
    (tmp_path / f"a.txt{ending}").write_bytes(pack(prose.encode()))
    (tmp_path / f"b.jsonl{ending}").write_bytes(pack(rows.encode()))
    (tmp_path / f"c.MD{ending}").write_bytes(pack(b"seven"))
    assert texts(tmp_path) == ["one\n\ntwo", "three é 灯", "four", "five\nsix", "seven"]


def test_a_folder_is_read_with_all_below_it_in_order_of_path(tmp_path: Path) -> None:
    for name in ("b/x.txt", "a/z.md", "a/.hidden.txt", ".git/y.txt", "c.bin", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert texts(tmp_path) == ["a/z.md", "b/x.txt", "b.txt"]
    assert texts(tmp_path / "**" / "*.txt") == ["b/x.txt", "b.txt"]


def test_a_file_belongs_to_the_first_source_that_has_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    paths = (tmp_path / "b.txt", tmp_path)
    sources = find_sources([SourceSettings(path=str(path)) for path in paths])
    assert [[file.path.name for file in source.files] for source in sources] == [
        ["b.txt"],
        ["a.txt"],
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_old_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = "灯塔看守人每天晚上都写一封信，虽然没有船来把它带走。" * 3
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))
    assert texts(tmp_path) == [text]


def test_a_long_text_is_cut_at_blank_lines(tmp_path: Path) -> None:
    paragraphs = [f"{number} " + "word " * 60 for number in range(20)]
    (tmp_path / "a.txt").write_text("\n\n".join(paragraphs))
    found = texts(tmp_path, max_chars=1000)
    assert "\n\n".join(found) == "\n\n".join(paragraphs)
    assert all(len(text) <= 1000 for text in found)
    assert len(found) < 10


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=4000))
def test_cutting_loses_nothing_but_line_ends(text: str) -> None:
    import io

    from gptdesk.training.collect import _pieces

    found = "".join(_pieces(io.StringIO(text * 3, newline="\n"), 1000, ""))
    assert "".join(found.split()) == "".join((text * 3).split())


def test_repeats_and_short_documents_are_left_out_and_counted(tmp_path: Path) -> None:
    for name, text in {"a": "same text", "b": "same text\n", "c": "no", "d": "other text"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    reader = collector(tmp_path, min_chars=5)
    assert [text for _, _, text in reader.documents()] == ["same text", "other text"]
    assert (reader.inventory.duplicates, reader.inventory.short) == (1, 1)
    assert texts(tmp_path, deduplicate=False).count("same text") == 2


BAD = {
    "binary.txt": (b"\x00\x01\x02" * 50, "is a binary file"),
    "broken.txt": (("灯塔看守人每天晚上" * 20).encode()[:-1], "damaged"),
    "damaged.txt.xz": (lzma.compress(b"text" * 5000)[:-30], "cannot be read"),
    "damaged.md.gz": (b"no gzip at all", "cannot be read"),
    "damaged.txt.zst": (b"no zstandard at all", "cannot be read"),
    "bad.jsonl": (b'{"text": "x"}\n{"text": \n', "Line 2 of"),
    "list.jsonl": (b"[1, 2]\n", "Line 1 of"),
    "keyless.jsonl": (b'{"texts": "x"}\n', 'the nearest key is "texts"'),
    "latin.jsonl": (b'{"text": "\xe9"}\n', "encoding"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused_by_name_or_skipped(tmp_path: Path, name: str) -> None:
    data, why = BAD[name]
    (tmp_path / name).write_bytes(data)
    (tmp_path / "z.txt").write_text("good")
    with pytest.raises(TrainingError, match=name) as caught:
        texts(tmp_path)
    assert why in caught.value.title
    assert "undecodable" in caught.value.hint
    reader = collector(tmp_path, undecodable="skip")
    assert "good" in [text for _, _, text in reader.documents()]
    assert len(reader.inventory.skipped) == 1


def test_a_place_without_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="There is no file or folder"):
        texts(tmp_path / "absent")
    with pytest.raises(TrainingError, match="holds no text"):
        texts(tmp_path)
    with pytest.raises(TrainingError, match="holds no text"):
        texts(tmp_path / "*.txt")


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    settings = [SourceSettings(path=str(tmp_path))]
    before = fingerprint(find_sources(settings))
    assert fingerprint(find_sources(settings)) == before
    (tmp_path / "a.txt").write_text("ab")
    assert fingerprint(find_sources(settings)) != before


def test_a_share_of_documents_is_held_out() -> None:
    inventory = Inventory(chars=[1000], smallest=[(-5, 10), (-50, 10)])
    assert held_out_below(inventory, 0.25) == HASH_RANGE // 4
    assert held_out_below(inventory, 0.0) == 0


def test_of_few_documents_one_is_held_out_unless_it_is_most_of_the_text() -> None:
    low, high = HASH_RANGE // 4, HASH_RANGE // 2
    inventory = Inventory(chars=[1000], smallest=[(-high, 100), (-low, 900)])
    assert held_out_below(inventory, 0.01) == high + 1
    assert held_out_below(Inventory(chars=[1000], smallest=[(-low, 1000)]), 0.01) == 0


@given(st.lists(st.integers(0, HASH_RANGE - 1) | st.integers(0, 30), max_size=200))
def test_seen_hashes_are_a_set(values: list[int]) -> None:
    seen, known = SeenHashes(recent=8), set()
    for value in values:
        assert seen.add(value) == (value not in known)
        known.add(value)


def test_the_hash_of_a_text_never_changes() -> None:
    assert document_hash("灯塔") == document_hash("灯塔") != document_hash("灯 塔")
    assert document_hash("The lighthouse") == 1492309110977343956
