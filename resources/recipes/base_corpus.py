"""The text of the bundled model's first training, and what is kept out of all its training.

Written to a folder of its own, one file for each source, without near duplicates of the text that
the model is measured with.
"""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from near_duplicates import KnownText

END = "<|endoftext|>"
PROSE = {
    "prose_en_books": "en",
    "prose_en_modern": "en",
    "prose_en_wiki": "en",
    "prose_zh_wiki": "zh",
    "prose_zh_tech": "zh",
    "prose_zh_classics_modern": "zh",
    "prose_zh_law": "zh",
    "prose_zh_poetry": "zh",
}
"""Prose corpora and their languages."""

PAIRS = {"mt_en-zh": "zh", "mt_en-de": "de", "mt_en-fr": "fr"}
"""Translation corpora and the language beside English."""

SUMMARIES = {
    "sum_en_arxiv_title": "en",
    "sum_en_scitldr": "en",
    "sum_en_web": "en",
    "sum_en_wiki_lead": "en",
    "sum_zh_arxiv_tldr": "zh",
    "sum_zh_web": "zh",
    "sum_zh_wiki_lead": "zh",
    "simplify_en_wikisplit": "en",
}
"""Corpora of documents with summaries (of sentences with simpler ones), and their languages."""

UNLICENSED = {"phpmyadmin-docs"}
"""Sources of translation pairs whose terms do not allow the weights to be given away."""

_MEASURED = ("dev", "test")


@dataclass
class Dropped:
    """How much was left out, by corpus.

    Attributes:
        near: paragraphs or rows that are near duplicates of text to be measured with.
        unlicensed: rows of sources in `UNLICENSED`.
        kept: the rest.
    """

    near: dict[str, int] = field(default_factory=dict)
    unlicensed: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)

    def count(self, table: dict[str, int], corpus: str) -> None:
        """One more."""
        table[corpus] = table.get(corpus, 0) + 1


class Corpora:
    """Reads the corpora below a folder.

    Args:
        data: the folder.

    Attributes:
        dropped: grows as they are read.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self.dropped = Dropped()
        self._known = {
            language: KnownText(self._measured(language), language)
            for language in ("en", "zh", "de", "fr")
        }

    def prose(self, corpus: str) -> Iterator[list[str]]:
        """Yield each document of a training corpus as its paragraphs."""
        known = self._known[PROSE[corpus]]
        for document in read_prose(self._data / f"{corpus}.train.txt.xz"):
            kept = [line for line in document if not known.has_most_of(line)]
            for _ in range(len(document) - len(kept)):
                self.dropped.count(self.dropped.near, corpus)
            if kept:
                self.dropped.count(self.dropped.kept, corpus)
                yield kept

    def rows(self, corpus: str) -> Iterator[dict[str, Any]]:
        """Yield each row of a training corpus of translations or summaries."""
        pairs = corpus in PAIRS
        keys = ("src", "tgt") if pairs else ("document", "summary")
        languages = ("en", PAIRS[corpus]) if pairs else (SUMMARIES[corpus],) * 2
        for row in read_rows(self._data / f"{corpus}.train.jsonl.xz"):
            if row.get("source") in UNLICENSED:
                self.dropped.count(self.dropped.unlicensed, corpus)
            elif any(
                self._known[language].has_most_of(row[key])
                for key, language in zip(keys, languages, strict=True)
            ):
                self.dropped.count(self.dropped.near, corpus)
            else:
                self.dropped.count(self.dropped.kept, corpus)
                yield row

    def split_rows(self, corpus: str, split: str) -> Iterator[dict[str, Any]]:
        """Yield each row of a corpus's "dev" or "test"."""
        yield from read_rows(self._data / f"{corpus}.{split}.jsonl.xz")

    def small(self, name: str) -> Iterator[dict[str, Any]]:
        """Yield each row of a small corpus that has no test set."""
        yield from read_rows(self._data / f"{name}.jsonl.xz")

    def _measured(self, language: str) -> Iterator[str]:
        """Every text of this language that figures are made with."""
        for split in _MEASURED:
            for corpus in (name for name, code in PROSE.items() if code == language):
                for document in read_prose(self._data / f"{corpus}.{split}.txt.xz"):
                    yield from document
            for corpus in (name for name, code in SUMMARIES.items() if code == language):
                for row in read_rows(self._data / f"{corpus}.{split}.jsonl.xz"):
                    yield row["document"]
                    yield from row.get("refs") or [row["summary"]]
            for corpus, code in PAIRS.items():
                for row in read_rows(self._data / f"{corpus}.{split}.jsonl.xz"):
                    if language in ("en", code):
                        yield row["src" if language == "en" else "tgt"]
        for row in read_rows(self._data / "mt_eval_newstest.jsonl.xz"):
            if language in ("en", row["tgt_lang"]):
                yield row["src" if language == "en" else "tgt"]


def write_text(corpora: Corpora, folder: Path) -> None:
    """Write the sources of the first training, documents apart by a line `<|endoftext|>`."""
    folder.mkdir(parents=True, exist_ok=True)
    for corpus in PROSE:
        _write(folder / f"{corpus}.txt", corpora.prose(corpus))
    for corpus in PAIRS:
        _write(folder / f"{corpus}.txt", _both_languages(corpora.rows(corpus)))
    for corpus in ("sum_en_arxiv_title", "sum_zh_arxiv_tldr"):
        documents = ([row["document"]] for row in corpora.rows(corpus))
        _write(folder / f"{corpus}.txt", documents)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of an xz-compressed JSON Lines file."""
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def read_prose(path: Path) -> Iterator[list[str]]:
    """Yield each document of an xz-compressed prose file as its paragraphs."""
    paragraphs: list[str] = []
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as stream:
        for line in stream:
            text = line.rstrip("\n")
            if text == END:
                yield paragraphs
                paragraphs = []
            elif text.strip():
                paragraphs.append(text)
    if paragraphs:
        yield paragraphs


def _both_languages(rows: Iterator[dict[str, Any]]) -> Iterator[list[str]]:
    """A sentence and its translation as one document: what belongs together is learnt early."""
    draw = random.Random(1)
    for row in rows:
        sides = [row["src"], row["tgt"]]
        if draw.random() < 0.5:
            sides.reverse()
        yield sides


def _write(path: Path, documents: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for document in documents:
            stream.write("\n".join(document) + f"\n{END}\n")
