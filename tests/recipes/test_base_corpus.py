"""What the bundled model is trained on: licensed, and without text that it is measured with."""

from __future__ import annotations

import importlib
import lzma
from pathlib import Path
from types import ModuleType

import pytest

from gptdesk.paths import resources_dir
from tests.recipes.corpora import END, sentence, write_corpora, write_lines, write_rows


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(resources_dir() / "recipes")
        return importlib.import_module("base_corpus")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_corpora(tmp_path / "data")


def _lines(path: Path) -> list[str]:
    return lzma.open(path, "rt", encoding="utf-8").read().splitlines()


def test_paragraphs_of_test_text_are_left_out(recipe: ModuleType, data: Path) -> None:
    copied = _lines(data / "prose_en_wiki.test.txt.xz")[0]
    other = _lines(data / "prose_en_books.dev.txt.xz")[0]
    own = sentence("en", -1, 20)
    document = [copied.replace("keeper", "warden"), own, END, other.upper(), END]
    write_lines(data / "prose_en_modern.train.txt.xz", document)
    corpora = recipe.Corpora(data)
    assert list(corpora.prose("prose_en_modern")) == [[own]]
    assert corpora.dropped.near == {"prose_en_modern": 2}
    assert corpora.dropped.kept == {"prose_en_modern": 1}


def test_pairs_of_either_side_and_without_a_licence_are_left_out(
    recipe: ModuleType, data: Path
) -> None:
    def pair(source: str, target: str, origin: str = "tatoeba") -> dict[str, str]:
        return {"src": source, "tgt": target, "source": origin, "tgt_lang": "zh"}

    english = _lines(data / "prose_en_wiki.test.txt.xz")[0]
    chinese = _lines(data / "prose_zh_tech.test.txt.xz")[0]
    rows = [
        pair(sentence("en", -1, 20), sentence("zh", -1, 20)),
        pair(english, sentence("zh", -2, 20)),
        pair(sentence("en", -3, 20), chinese),
        pair(sentence("en", -4, 20), sentence("zh", -4, 20), "phpmyadmin-docs"),
    ]
    write_rows(data / "mt_en-zh.train.jsonl.xz", rows)
    corpora = recipe.Corpora(data)
    assert list(corpora.rows("mt_en-zh")) == rows[:1]
    assert corpora.dropped.near == {"mt_en-zh": 2}
    assert corpora.dropped.unlicensed == {"mt_en-zh": 1}


def test_every_source_is_written_document_by_document(
    recipe: ModuleType, data: Path, tmp_path: Path
) -> None:
    recipe.write_text(recipe.Corpora(data), tmp_path / "text")
    names = {path.stem for path in (tmp_path / "text").iterdir()}
    assert names == {*recipe.PROSE, *recipe.PAIRS, "sum_en_arxiv_title", "sum_zh_arxiv_tldr"}
    books = (tmp_path / "text" / "prose_en_books.txt").read_text("utf-8").splitlines()
    assert books == _lines(data / "prose_en_books.train.txt.xz")
    pairs = (tmp_path / "text" / "mt_en-de.txt").read_text("utf-8").split(f"\n{END}\n")
    assert all(len(pair.splitlines()) == 2 for pair in pairs[:-1])
