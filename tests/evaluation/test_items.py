"""Files to measure on: every kind, packed or not, and what is wrong with others."""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from gptdesk.errors import DocumentError
from gptdesk.evaluation.items import (
    LabelItem,
    Prose,
    RewriteItem,
    Selection,
    SummaryItem,
    TranslationItem,
    read_items,
)


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "kind", "item"),
    [
        ({"text": "a"}, "prose", Prose("a")),
        ({"document": "d", "summary": "s"}, "summaries", SummaryItem("d", ("s",))),
        (
            {"document": "d", "summary": "s", "refs": ["s", "t"]},
            "summaries",
            SummaryItem("d", ("s", "t")),
        ),
        (
            {"src": "a", "tgt": "b", "src_lang": "en", "tgt_lang": "zh"},
            "translations",
            TranslationItem("a", ("b",), "en", "zh"),
        ),
        ({"text": "a", "rewritten": "b"}, "rewrites", RewriteItem("a", "b", "proofread")),
        (
            {"text": "a", "rewritten": "b", "style": "simplify", "label": "x"},
            "rewrites",
            RewriteItem("a", "b", "simplify"),
        ),
        ({"text": "a", "label": 1}, "labels", LabelItem("a", "1")),
    ],
)
def test_the_keys_of_a_line_decide(row: Any, kind: str, item: Any, tmp_path: Path) -> None:
    found = read_items(write(tmp_path / "x.jsonl", row))
    assert (found.kind, found.items, found.total) == (kind, (item,), 1)


def test_packed_prose(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.xz"
    path.write_bytes(lzma.compress("灯塔".encode()))
    found = read_items(path)
    assert found.items == (Prose("灯塔"),)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_lines_between_documents_are_no_text(line: str, tmp_path: Path) -> None:
    mark = "<|endoftext|>"
    lines = ["one", f"a {mark} b", mark, mark, "", "two", mark]
    path = tmp_path / "a.txt"
    for end in ("", line):
        path.write_bytes((line.join(lines) + end).encode())
        found = read_items(path)
        assert found.items == (Prose(f"one{line}a {mark} b"), Prose(f"{line}two"))
        assert found.total == 2


def test_limits_and_samples_are_the_same_each_time(tmp_path: Path) -> None:
    path = write(tmp_path / "x.jsonl", *({"text": str(n), "label": "l"} for n in range(20)))
    first = read_items(path, Selection(limit=4))
    assert [item.text for item in first.items] == ["0", "1", "2", "3"]
    assert first.total == 20
    drawn = read_items(path, Selection(sample=5, seed=3))
    assert drawn == read_items(path, Selection(sample=5, seed=3))
    assert drawn.items != read_items(path, Selection(sample=5, seed=4)).items
    assert len(drawn.items) == 5


def test_of_prose_so_many_documents(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("a\n<|endoftext|>\nb\n<|endoftext|>\nc\n", "utf-8")
    found = read_items(path, Selection(limit=2))
    assert [document.text.strip() for document in found.items] == ["a", "b"]
    assert found.total == 3


def test_the_usual_style_need_not_be_named(tmp_path: Path) -> None:
    row = {"text": "a", "rewritten": "b"}
    path = write(tmp_path / "x.jsonl", row, row | {"style": None})
    assert [item.style for item in read_items(path).items] == ["proofread"] * 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no line"),
        (b"{}\n", "line 1 has the keys none"),
        (b'{"text": "a"}\n\n{"src": "b"}\n', "line 3 has the keys src"),
        (b'{"text": "a"}\n{"document": "b", "summary": "c"}\n', "mixes prose and summaries"),
        (b"[1]\n", "line 1 is not a JSON object"),
        (b"{\n", "line 1 is not JSON"),
        (b'{"document": "d", "summary": 3}\n', "summary must be a text"),
        (b'{"text": "", "label": "x"}\n', "text must be a text that is not empty"),
        (b'{"text": "a", "label": null}\n', "label must be"),
        (b'{"text": "a", "label": ""}\n', "label must be"),
        (b"[" * 100_000, "line 1 is not JSON"),
        (b'{"text": "a", "rewritten": ""}\n', "rewritten must be a text that is not empty"),
        (b'{"text": "a", "rewritten": "b", "style": 1}\n', "style must be proofread or simplify"),
        (b'{"text": "\xff"}\n', "line 1 is not JSON"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read_items(path)
    assert told in caught.value.title
    assert str(path) in caught.value.title


@pytest.mark.parametrize("name", ["missing.txt", "folder", "bad.txt", "cut.txt.xz", "empty.txt"])
def test_files_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "bad.txt").write_bytes(b"a\xff\xfeb")
    (tmp_path / "cut.txt.xz").write_bytes(lzma.compress(b"abc" * 100)[:40])
    (tmp_path / "empty.txt").write_bytes(b" \n")
    with pytest.raises(DocumentError, match=name):
        read_items(tmp_path / name)


def test_lines_are_chosen_by_their_keys_and_translations_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    rows = [
        {"src": f"s{n}", "tgt": f"t{n}", "src_lang": "en", "tgt_lang": "de", "set": str(n % 2)}
        for n in range(6)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = read_items(path, Selection(where={"set": "1"}, reverse=True))
    assert found.items == tuple(TranslationItem(f"t{n}", (f"s{n}",), "de", "en") for n in (1, 3, 5))
    assert found.total == 3
    with pytest.raises(DocumentError, match="set = 2"):
        read_items(path, Selection(where={"set": "2"}))
