"""What a fine-tune learns from and what it holds out: nothing is in both, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.training.finetune_settings import FinetuneSettings
from gptdesk.training.finetune_text import MANY_DOCUMENTS, TuningText, cut_end
from tests.training import corpus


def text_of(*data: Path, **changes: Any) -> TuningText:
    paths = tuple(map(str, data))
    return TuningText(FinetuneSettings(model=Path("model"), data=paths, out=Path("out"), **changes))


def sides(text: TuningText) -> tuple[list[str], list[str]]:
    return list(text.documents("train")), list(text.documents("validation"))


def write(folder: Path, count: int, sentences: int = 40) -> list[str]:
    documents = [corpus.document(number, sentences) for number in range(count)]
    for number, document in enumerate(documents):
        (folder / f"{number:02}.txt").write_text(document, "utf-8")
    return documents


def test_of_few_documents_the_ends_are_held_out(tmp_path: Path) -> None:
    documents = write(tmp_path, 3)
    learnt, held = sides(text_of(tmp_path))
    assert len(learnt) == len(held) == 3
    for document, begin, end in zip(documents, learnt, held, strict=True):
        assert document.startswith(begin)
        assert document.rstrip("\n").endswith(end)
        assert 0.05 < len(end) / len(document) < 0.3
        assert len(document) - len(begin) - len(end) <= 3, "but for the blank line in between"


def test_of_many_documents_some_are_held_out_whole(tmp_path: Path) -> None:
    documents = write(tmp_path, MANY_DOCUMENTS, 8)
    learnt, held = sides(text_of(tmp_path))
    assert len(held) == MANY_DOCUMENTS // 10
    assert sorted(learnt + held) == sorted(document.strip("\n") for document in documents)


def test_of_short_documents_one_is_held_out(tmp_path: Path) -> None:
    write(tmp_path, 3, 2)
    learnt, held = sides(text_of(tmp_path))
    assert (len(learnt), len(held)) == (2, 1)


def test_files_named_for_validation_are_held_out_wherever_they_lie(tmp_path: Path) -> None:
    documents = write(tmp_path, 3)
    (tmp_path / "copy.txt").write_text(documents[1], "utf-8")
    learnt, held = sides(text_of(tmp_path, validation=(str(tmp_path / "01.txt"),)))
    assert held == [documents[1].strip("\n")]
    assert learnt == [documents[0].strip("\n"), documents[2].strip("\n")], "nor does a copy count"


def test_nothing_is_held_out_when_nobody_wants_it(tmp_path: Path) -> None:
    write(tmp_path, 2)
    text = text_of(tmp_path, validation_fraction=0.0)
    assert sides(text)[1] == []
    assert len(sides(text)[0]) == 2


def test_lines_are_divided_and_their_answers_told(tmp_path: Path) -> None:
    rows = [{"document": corpus.document(n), "summary": f"Point {n}."} for n in range(30)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    text = text_of(path)
    learnt, held = list(text.answers("train")), list(text.answers("validation"))
    assert len(held) == 3
    assert sorted(learnt + held) == sorted(row["summary"] for row in rows)
    assert sides(text) == ([], [])


def test_prose_in_lines_is_prose(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"body": corpus.document(3)}) + "\n", "utf-8")
    text = text_of(path, text_key="body", validation_fraction=0.0)
    assert sides(text)[0] == [corpus.document(3).strip("\n")]
    assert text.lines_count == 0


def test_a_file_that_is_no_text_is_left_out_by_name(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (tmp_path / "photo.txt").write_bytes(bytes(range(256)) * 9)
    text = text_of(tmp_path)
    assert text.documents_count == 1
    assert "photo.txt" in text.skipped[0]


@given(st.text(alphabet="ab \n", max_size=900), st.floats(0.01, 0.5))
def test_cutting_loses_nothing_but_white_space(text: str, fraction: float) -> None:
    learnt, end = cut_end(text, fraction)
    assert (learnt + end).split() == text.split() or "".join((learnt + end).split()) == "".join(
        text.split()
    )
    assert text.startswith(learnt)
    assert text.endswith(end)


@pytest.mark.parametrize("text", ["", "short", "x" * 5000])
def test_what_cannot_be_cut_stays_whole(text: str) -> None:
    assert cut_end(text, 0.1) == (text, "")
