"""BLEU and chrF of translating word by word, on the test sets that a model is measured with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

from base_corpus import PAIRS, UNLICENSED, read_rows
from base_measures import NEWSTEST
from baseline_alignment import WordTable
from baseline_dictionary import Dictionary

from gptdesk.evaluation.answers import Answer, translation_measures
from gptdesk.evaluation.items import Selection, TranslationItem, read_items

NEWS = {"mt_en-zh": "newstest2017", "mt_en-de": "newstest2014", "mt_en-fr": "newstest2014"}
"""News by corpus."""

Translate = Callable[[str], str]
Figures = dict[str, dict[str, float]]


def dictionary_figures(data: Path) -> Figures:
    """CC-CEDICT, between Chinese and English."""
    words = Dictionary.read(data)

    def translator(source: str) -> Translate:
        return lambda text: words.translate(text, source)

    return _measured(data, "mt_en-zh", translator)


def alignment_figures(data: Path) -> Figures:
    """IBM Model 1, between German or French and English, from the training pairs."""
    figures: Figures = {}
    for corpus, code in PAIRS.items():
        if code != "zh":
            tables = {
                source: WordTable(_training_pairs(data, corpus, back=source != "en"))
                for source in ("en", code)
            }
            figures |= _measured(data, corpus, lambda source, own=tables: own[source].translate)
    return figures


def measured_sets(data: Path, corpus: str) -> Iterator[tuple[str, Path, Selection]]:
    """Yield name, file and rows of a corpus's own test set and of news in its languages."""
    yield f"{corpus}.test", data / f"{corpus}.test.jsonl.xz", Selection()
    news = f"{NEWS[corpus]}.en-{PAIRS[corpus]}"
    yield news, data / "mt_eval_newstest.jsonl.xz", Selection(where={"set": news}, limit=NEWSTEST)


def _training_pairs(data: Path, corpus: str, *, back: bool) -> Iterator[tuple[str, str]]:
    for row in read_rows(data / f"{corpus}.train.jsonl.xz"):
        if row["source"] not in UNLICENSED:
            yield (row["tgt"], row["src"]) if back else (row["src"], row["tgt"])


def _measured(data: Path, corpus: str, translator: Callable[[str], Translate]) -> Figures:
    """Both directions of every test set, as `gptdesk evaluate` measures a model."""
    figures: Figures = {}
    for name, path, selection in measured_sets(data, corpus):
        answers: list[Answer] = []
        for reverse, source in ((False, "en"), (True, PAIRS[corpus])):
            items = read_items(path, dataclasses.replace(selection, reverse=reverse)).items
            answers += _answers(cast("Sequence[TranslationItem]", items), translator(source))
        figures[name], _ = translation_measures(answers)
    return figures


def _answers(items: Sequence[TranslationItem], translate: Translate) -> list[Answer]:
    return [Answer(item, translate(item.text), "stop", item.target) for item in items]
