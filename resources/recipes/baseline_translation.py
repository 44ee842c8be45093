"""BLEU and chrF of translating word by word, on the test sets that a model is measured with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from base_corpus import PAIRS, UNLICENSED, read_rows
from baseline_alignment import WordTable
from baseline_dictionary import Dictionary

from gptdesk.evaluation.answers import Answer, translation_measures
from gptdesk.evaluation.items import TranslationItem

NEWS = "mt_eval_newstest"
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


def test_sets(data: Path, corpus: str) -> Iterator[tuple[str, list[TranslationItem]]]:
    """Yield name and items, from English, of a corpus's own test set and of the news in it."""
    rows = read_rows(data / f"{corpus}.test.jsonl.xz")
    yield f"{corpus}.test", [_item(row) for row in rows]
    news: dict[str, list[TranslationItem]] = {}
    for row in read_rows(data / f"{NEWS}.jsonl.xz"):
        if row["tgt_lang"] == PAIRS[corpus]:
            news.setdefault(row["set"], []).append(_item(row))
    yield from news.items()


def _item(row: dict[str, str]) -> TranslationItem:
    return TranslationItem(row["src"], (row["tgt"],), row["src_lang"], row["tgt_lang"])


def _reversed(item: TranslationItem) -> TranslationItem:
    return TranslationItem(item.references[0], (item.text,), item.target, item.source)


def _training_pairs(data: Path, corpus: str, *, back: bool) -> Iterator[tuple[str, str]]:
    for row in read_rows(data / f"{corpus}.train.jsonl.xz"):
        if row["source"] not in UNLICENSED:
            yield (row["tgt"], row["src"]) if back else (row["src"], row["tgt"])


def _measured(data: Path, corpus: str, translator: Callable[[str], Translate]) -> Figures:
    """Both directions of every test set, as `gptdesk evaluate` measures a model."""
    figures: Figures = {}
    for name, items in test_sets(data, corpus):
        there = _answers(items, translator("en"))
        back = _answers(map(_reversed, items), translator(PAIRS[corpus]))
        figures[name], _ = translation_measures([*there, *back])
    return figures


def _answers(items: Iterable[TranslationItem], translate: Translate) -> Sequence[Answer]:
    return [Answer(item, translate(item.text), "stop", item.target) for item in items]
