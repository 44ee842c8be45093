"""The questions and answers of the bundled model's second training, as JSON Lines.

Each function writes one file; together they are the mixture. The shares are chosen so that the
whole is about what the larger budget sees once; a smaller budget sees a random part of it.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from base_corpus import END, PROSE, Corpora
from base_proofreading import Corrupter, Homophones

from gptdesk.text.segmentation import sentences

Row = dict[str, Any]

PIECE_CHARACTERS = {"en": 3300, "zh": 1200}
"""Longest piece of prose: some 950 tokens."""

PROSE_CHARACTERS = {
    "prose_en_books": 10_000_000,
    "prose_en_modern": 8_000_000,
    "prose_en_wiki": 5_000_000,
    "prose_zh_wiki": 3_000_000,
    "prose_zh_tech": 1_500_000,
    "prose_zh_classics_modern": 1_500_000,
    "prose_zh_law": 400_000,
    "prose_zh_poetry": 1_000_000,
}
"""Text that is only continued, so that the second training does not spoil the first."""

TRANSLATIONS = {"mt_en-zh": 0.6, "mt_en-de": 1.0, "mt_en-fr": 0.4}
"""Share of the pairs of each corpus."""

TOGETHER = 0.12
"""How many of the pairs are joined to paragraphs of two to four sentences."""

SUMMARIES = {
    "sum_en_arxiv_title": ("headline", 14_000),
    "sum_zh_arxiv_tldr": ("paragraph", 14_000),
    "sum_en_wiki_lead": ("paragraph", 5_000),
    "sum_zh_wiki_lead": ("paragraph", 5_000),
    "sum_en_web": ("paragraph", 8_700),
    "sum_zh_web": ("paragraph", 8_600),
    "sum_en_scitldr": ("paragraph", 8_000),
}
"""Form of the summaries and how many rows of each corpus; of a small one each is taken again."""

DOCUMENT_CHARACTERS = {"en": 1800, "zh": 600}
"""Documents are cut at a sentence's end before these."""

ACROSS = 4_000
"""English abstracts with a Chinese summary."""
LEADING = 8_000
"""English abstracts with the one of their sentences that has most words of the title.

Without them most abstracts that the model is asked to tell in a paragraph have a Chinese one, and
an English paragraph turns Chinese.
"""
PROOFREADING = {"en": 75_000, "zh": 65_000}
HEADINGS = 0.05
"""Headings beside the sentences to proofread, as a share of them."""
DICTIONARY = 24_000
_LEADING_CHARACTERS, _LITTLE_WORD = 300, 3
_MOST_TIMES = 5
_DEFINITION = 40
_SIMPLIFY_TIMES = 2
_DIALOGUE_TIMES = 2


def write_tasks(corpora: Corpora, text: Path, folder: Path, seed: int = 1) -> list[str]:
    """Write all files and return their names.

    Args:
        corpora: to read from.
        text: the folder of the first training's sources.
        folder: made when it is missing.
        seed: of everything that is drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed)
    files: dict[str, Iterable[Row]] = {
        "prose": _prose(text, draw),
        **{name: _translations(corpora, name, draw) for name in TRANSLATIONS},
        **{name: _summaries(corpora, name, draw) for name in SUMMARIES},
        "across": _across(corpora, draw),
        "leading": _leading(corpora, draw),
        "simplify": _repeated(_simplify(corpora), _SIMPLIFY_TIMES),
        "proofread": _proofreading(corpora, text, seed),
        "dictionary": _dictionary(corpora, draw),
        "dialogue": _repeated(_dialogue(corpora), _DIALOGUE_TIMES),
    }
    for name, rows in files.items():
        _write(folder / f"{name}.jsonl", rows)
    return [f"{name}.jsonl" for name in files]


def prose_documents(text: Path, corpus: str) -> list[str]:
    """The documents of one source of the first training."""
    return (text / f"{corpus}.txt").read_text("utf-8").split(f"\n{END}\n")[:-1]


def _prose(text: Path, draw: random.Random) -> Iterator[Row]:
    """Pieces of documents, of lengths from a few sentences to a whole context."""
    for corpus, characters in PROSE_CHARACTERS.items():
        documents = prose_documents(text, corpus)
        draw.shuffle(documents)
        for document in documents:
            if characters <= 0:
                break
            longest = PIECE_CHARACTERS[PROSE[corpus]]
            start = draw.randrange(max(1, len(document) - longest))
            start = document.find("\n", start) + 1 if start else 0
            piece = document[start : start + draw.randint(longest // 4, longest)]
            if piece.strip():
                characters -= len(piece)
                yield {"text": piece}


def _translations(corpora: Corpora, name: str, draw: random.Random) -> Iterator[Row]:
    """Pairs as they are; some joined, so that short paragraphs are known too."""
    waiting: dict[str, list[Row]] = {}
    for row in corpora.rows(name):
        if draw.random() >= TRANSLATIONS[name]:
            continue
        pair = {key: row[key] for key in ("src", "tgt", "src_lang", "tgt_lang")}
        if draw.random() >= TOGETHER:
            yield pair
            continue
        group = waiting.setdefault(row["source"], [])
        group.append(pair)
        if len(group) > draw.randint(1, 3):
            yield _joined(group)
            group.clear()


def _joined(pairs: list[Row]) -> Row:
    between = {"src": " ", "tgt": "" if pairs[0]["tgt_lang"] == "zh" else " "}
    texts = {key: gap.join(pair[key].strip() for pair in pairs) for key, gap in between.items()}
    return pairs[0] | texts


def _summaries(corpora: Corpora, name: str, draw: random.Random) -> Iterator[Row]:
    form, count = SUMMARIES[name]
    rows = list(corpora.rows(name))
    times, more = divmod(min(count, _MOST_TIMES * len(rows)), len(rows))
    for row in [*rows * times, *draw.sample(rows, more)]:
        yield _summary(row["document"], row["summary"], row["lang"], row["lang"], form)


def _across(corpora: Corpora, draw: random.Random) -> Iterator[Row]:
    """English abstract, Chinese summary: two corpora joined by the paper's number."""
    chinese = {row["id"]: row["summary"] for row in corpora.rows("sum_zh_arxiv_tldr")}
    rows = [row for row in corpora.rows("sum_en_arxiv_title") if row["id"] in chinese]
    for row in draw.sample(rows, min(ACROSS, len(rows))):
        yield _summary(row["document"], chinese[row["id"]], "en", "zh", "paragraph")


def _leading(corpora: Corpora, draw: random.Random) -> Iterator[Row]:
    """What an abstract says in one sentence: the one nearest to the title its authors chose."""
    rows = list(corpora.rows("sum_en_arxiv_title"))
    for row in draw.sample(rows, min(LEADING, len(rows))):
        abstract, title = row["document"], _words_of(row["summary"])
        told = [abstract[span.start : span.end].strip() for span in sentences(abstract)]
        told = [sentence for sentence in told if len(sentence) <= _LEADING_CHARACTERS]
        if told and title:
            best = max(told, key=lambda sentence: _overlap(_words_of(sentence), title))
            yield _summary(abstract, best, "en", "en", "paragraph")


def _words_of(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.lower()) if len(word) > _LITTLE_WORD)


def _overlap(words: frozenset[str], title: frozenset[str]) -> float:
    """Balanced F-measure of the words in common, so that a long sentence has no advantage."""
    return 2 * len(words & title) / (len(words) + len(title))


def _summary(document: str, summary: str, source: str, language: str, form: str) -> Row:
    text = _cut(document, DOCUMENT_CHARACTERS[source])
    return {"document": text, "summary": summary, "lang": language, "form": form}


def _cut(document: str, longest: int) -> str:
    if len(document) <= longest:
        return document
    head = document[:longest]
    end = max(head.rfind(mark) for mark in (". ", "。", "\n", "！", "？"))
    return head[: end + 1] if end > longest // 2 else head


def _simplify(corpora: Corpora) -> Iterator[Row]:
    for row in corpora.rows("simplify_en_wikisplit"):
        yield {"text": row["document"], "rewritten": row["summary"], "style": "simplify"}


def _proofreading(corpora: Corpora, text: Path, seed: int) -> Iterator[Row]:
    draw = random.Random(seed)
    for language, count in PROOFREADING.items():
        names = [name for name in PROSE if PROSE[name] == language and "poetry" not in name]
        corrupter = corrupter_for(corpora, text, seed)
        for name in names:
            documents = prose_documents(text, name)
            draw.shuffle(documents)
            rows = corrupter.rows((_somewhere(one, draw) for one in documents * 40), language)
            sought = count // len(names)
            yield from itertools.islice(rows, sought)
            lines = (line for document in documents for line in document.split("\n"))
            headings = corrupter.headings(lines, language)
            yield from itertools.islice(headings, int(sought * HEADINGS))


def _somewhere(document: str, draw: random.Random) -> str:
    """One paragraph, so that a long book does not fill the file alone."""
    return draw.choice(document.split("\n"))


def corrupter_for(corpora: Corpora, text: Path, seed: int) -> Corrupter:
    """What plants the errors; its Chinese characters are those of technical prose."""
    sample = (text / "prose_zh_tech.txt").read_text("utf-8")
    rows = (row for row in corpora.small("dict_zh-en_cedict") if len(row["zh"]) == 1)
    return Corrupter(Homophones.from_dictionary(rows, sample), seed)


def _dictionary(corpora: Corpora, draw: random.Random) -> Iterator[Row]:
    """Short entries; one sense each, so that an answer is a word and not a list."""
    rows = [
        {"src": row["en"][0], "tgt": row["zh"], "src_lang": "en", "tgt_lang": "zh"}
        for row in corpora.small("dict_zh-en_cedict")
        if row["en"] and 0 < len(row["en"][0].strip()) <= _DEFINITION and len(row["zh"]) <= 4
        if not any(mark in row["en"][0] for mark in "(|[/;")
    ]
    yield from draw.sample(rows, min(DICTIONARY, len(rows)))


def _dialogue(corpora: Corpora) -> Iterator[Row]:
    for row in corpora.small("dialog_chatterbot"):
        roles = ("user", "assistant")
        turns = row["turns"][: len(row["turns"]) // 2 * 2]
        messages = [
            {"role": roles[at % 2], "content": turn.strip()} for at, turn in enumerate(turns)
        ]
        if messages and all(message["content"] for message in messages):
            yield {"messages": messages}


def _repeated(rows: Iterable[Row], times: int) -> Iterator[Row]:
    kept = list(rows)
    for _ in range(times):
        yield from kept


def _write(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
