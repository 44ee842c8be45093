"""Translates between Chinese and English word by word with CC-CEDICT.

Chinese is cut into the longest words that the dictionary has, from left to right; English into the
longest phrases that are a meaning of some word. Nothing is reordered or inflected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from base_corpus import read_rows

_REMARK = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*")
_ARTICLE = re.compile(r"^(?:to be|to|a|an|the|be)\s+")
_NO_MEANING = re.compile(r"^(?:surname |variant of |old variant |used in |CL:|see |abbr\. |also )")
_HAN = re.compile(r"[\u3400-\u9fff]")
_OTHER = re.compile(r"[^\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")
_ENGLISH = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\d+(?:[.,]\d+)*|\s+|.")
_ENDINGS = (("ies", "y"), ("es", ""), ("s", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"))
_MOST_WORDS = 4

_POINTS = "。，、；：？！（）“”‘’《》【】…—～"
_MARKS = '.,,;:?!()""\'\'""[]…-~'
_TO_ENGLISH = str.maketrans(_POINTS, _MARKS)
_TO_CHINESE = str.maketrans(".,;:?!()", "。，；：？！（）")
_TIGHT_BEFORE = re.compile(r"\s+([.,;:?!)\]%…])")
_TIGHT_AFTER = re.compile(r"([(\[])\s+")


class Dictionary:
    """Both directions of a dictionary.

    Args:
        rows: objects with "zh", and in "en" a list of meanings, the commonest first.
    """

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        self._english: dict[str, str] = {}
        self._chinese: dict[str, tuple[int, str]] = {}
        for row in rows:
            word, meanings = row["zh"], list(_meanings(row["en"]))
            if not meanings or not _HAN.search(word):
                continue
            self._english.setdefault(word, meanings[0])
            length = sum(map(len, row["en"]))  # a word that means little else fits best
            for meaning in meanings:
                known = self._chinese.get(meaning.lower())
                if known is None or length < known[0]:
                    self._chinese[meaning.lower()] = (length, word)
        self._longest = max(map(len, self._english), default=1)

    @classmethod
    def read(cls, data: Path) -> Dictionary:
        """CC-CEDICT in a folder of corpora."""
        return cls(read_rows(data / "dict_zh-en_cedict.jsonl.xz"))

    def translate(self, text: str, source: str) -> str:
        """A text in English when `source` is "zh", in Chinese when it is "en"."""
        return self._to_english(text) if source == "zh" else self._to_chinese(text)

    def _to_english(self, text: str) -> str:
        words = (
            self._english.get(part) or part.translate(_TO_ENGLISH) for part in self._words(text)
        )
        joined = _TIGHT_BEFORE.sub(r"\1", " ".join(word.strip() for word in words if word.strip()))
        joined = _TIGHT_AFTER.sub(r"\1", joined)
        return joined[:1].upper() + joined[1:]

    def _words(self, text: str) -> Iterator[str]:
        """The text in words of the dictionary, single characters, and stretches of other writing."""
        at = 0
        while at < len(text):
            other = _OTHER.match(text, at)
            if other:
                yield other.group()
                at = other.end()
                continue
            sizes = range(min(self._longest, len(text) - at), 1, -1)
            size = next((size for size in sizes if text[at : at + size] in self._english), 1)
            yield text[at : at + size]
            at += size

    def _to_chinese(self, text: str) -> str:
        parts = _ENGLISH.findall(text)
        written: list[str] = []
        at = 0
        while at < len(parts):
            size, found = self._longest_phrase(parts, at)
            written.append(found)
            at += size
        joined = "".join(written)
        joined = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", joined)
        return joined.strip()

    def _longest_phrase(self, parts: list[str], at: int) -> tuple[int, str]:
        """How many parts from here are one meaning, and the Chinese of it."""
        for size in range(2 * _MOST_WORDS - 1, 0, -2):  # words and the spaces between them
            phrase = "".join(parts[at : at + size]).lower()
            if at + size <= len(parts):
                for form in _forms(phrase) if size == 1 else (phrase,):
                    if form in self._chinese:
                        return size, self._chinese[form][1]
        if parts[at].lower() in ("a", "an", "the"):
            return 1, ""
        ends_a_word = at + 1 == len(parts) or parts[at + 1].isspace()
        is_mark = not parts[at][:1].isalnum()
        return 1, parts[at].translate(_TO_CHINESE) if is_mark and ends_a_word else parts[at]


def _meanings(glosses: Iterable[str]) -> Iterator[str]:
    """Glosses without remarks, and verbs and nouns without "to" and articles."""
    for gloss in glosses:
        if not _NO_MEANING.match(gloss):
            for part in _REMARK.sub(" ", gloss).split(";"):
                meaning = _ARTICLE.sub("", part.strip())
                if meaning and not _HAN.search(meaning):
                    yield meaning


def _forms(word: str) -> Iterator[str]:
    """A word, and what it may be an inflected form of."""
    yield word
    for ending, base in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 2:
            yield word.removesuffix(ending) + base
