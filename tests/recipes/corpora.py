"""Corpora like those that the bundled model is made from: a few kilobytes, always the same."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

END = "<|endoftext|>"
_SENTENCES = {
    "en": "the old keeper wrote letters every evening while rain fell over a harbour",
    "de": "der alte wärter schrieb briefe jeden abend während regen über den hafen fiel",
    "fr": "le vieux gardien écrivait des lettres chaque soir tandis que pluie tombait port",
}
WORDS = {
    **{language: text.split() for language, text in _SENTENCES.items()},
    "zh": list("灯塔看守人每天晚上都写一封信虽然没有船来把它带走雨落在海港"),
}
_PROSE_FILES = [
    *((f"prose_en_{kind}", "en") for kind in ("books", "modern", "wiki")),
    *((f"prose_zh_{kind}", "zh") for kind in ("classics_modern", "law", "poetry", "tech", "wiki")),
]
_SUMMARY_FILES = [
    *((f"sum_en_{kind}", "en") for kind in ("arxiv_title", "scitldr", "web", "wiki_lead")),
    *((f"sum_zh_{kind}", "zh") for kind in ("arxiv_tldr", "web", "wiki_lead")),
    ("simplify_en_wikisplit", "en"),
]
_NEWS = (
    ("newstest2017.en-zh", "zh"),
    ("newstest2014.en-de", "de"),
    ("newstest2016.en-de", "de"),
    ("newstest2014.en-fr", "fr"),
)
_SPLITS = {"train": 24, "dev": 4, "test": 4}


def sentence(language: str, number: int, words: int = 14) -> str:
    """A sentence; every number gives another."""
    chosen = random.Random(f"{language} {number}").choices(WORDS[language], k=words)
    if language == "zh":
        return "".join(chosen) + "。"
    return " ".join(chosen).capitalize() + "."


def write_corpora(folder: Path) -> Path:
    """A folder with every file that the recipes read."""
    folder.mkdir(parents=True)
    numbers = iter(range(1_000_000))
    for split, count in _SPLITS.items():
        for name, language in _PROSE_FILES:
            write_lines(folder / f"{name}.{split}.txt.xz", _prose(language, count, numbers))
        for name, language in _SUMMARY_FILES:
            rows = [_summary(language, numbers) | {"id": str(n)} for n in range(count)]
            write_rows(folder / f"{name}.{split}.jsonl.xz", rows)
        for code in ("zh", "de", "fr"):
            pairs = [{**_pair(code, next(numbers)), "source": "tatoeba"} for _ in range(count)]
            write_rows(folder / f"mt_en-{code}.{split}.jsonl.xz", pairs)
        for name, language in (("cls_en_sst2", "en"), ("cls_zh_chnsenticorp", "zh")):
            if (split, language) != ("dev", "zh"):
                labelled = [_labelled(language, next(numbers)) for _ in range(10 * count)]
                write_rows(folder / f"{name}.{split}.jsonl.xz", labelled)
    news = [{**_pair(code, next(numbers)), "set": name} for name, code in _NEWS for _ in range(3)]
    write_rows(folder / "mt_eval_newstest.jsonl.xz", news)
    words = [
        {"zh": "灯塔", "pinyin": "deng1 ta3", "en": ["lighthouse"]},
        {"zh": "信", "pinyin": "xin4", "en": ["letter"]},
        {"zh": "上", "pinyin": "shang4", "en": ["on; upper"]},
        {"zh": "晚", "pinyin": "wan3", "en": ["late"]},
        {"zh": "灯", "pinyin": "deng1", "en": ["lamp"]},
        {"zh": "等", "pinyin": "deng3", "en": ["to wait"]},
    ]
    write_rows(folder / "dict_zh-en_cedict.jsonl.xz", words)
    talk = [{"turns": ["Who keeps the light?", "An old man."], "lang": "en"}]
    write_rows(folder / "dialog_chatterbot.jsonl.xz", talk)
    return folder


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Text, packed."""
    with lzma.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """JSON Lines, packed."""
    write_lines(path, (json.dumps(row, ensure_ascii=False) for row in rows))


def _prose(language: str, documents: int, numbers: Iterator[int]) -> Iterator[str]:
    for _ in range(documents):
        yield from (sentence(language, next(numbers), 20) for _ in range(3))
        yield END


def _summary(language: str, numbers: Iterator[int]) -> dict[str, Any]:
    parts = [sentence(language, next(numbers)) for _ in range(5)]
    space = "" if language == "zh" else " "
    summary = sentence(language, next(numbers), 8)
    return {"document": space.join(parts), "summary": summary, "lang": language}


def _pair(code: str, number: int) -> dict[str, Any]:
    """Word for word the same sentence."""
    places = random.Random(number).choices(range(len(WORDS["en"])), k=9)
    source, target = ([WORDS[language][at] for at in places] for language in ("en", code))
    join = "" if code == "zh" else " "
    return {
        "src": " ".join(source) + ".",
        "tgt": join.join(target) + ".",
        "src_lang": "en",
        "tgt_lang": code,
    }


def _labelled(language: str, number: int) -> dict[str, Any]:
    good = number % 2
    mark = {"en": ("dreadful", "splendid"), "zh": ("糟糕", "精彩")}[language][good]
    return {"text": f"{sentence(language, number, 6)} {mark}", "label": good, "lang": language}
