"""Says in the window's language what the layers below wrote in English: errors, warnings, notes.

Below the window nothing knows Qt or languages: a sentence is written once, in English, with its
values already in it. The catalogue resources/translations/messages_*.toml holds every such sentence
as a template, which resources/translations/update.py collects from the source:

    "{0} is {1}, not a text file." = "{0} 是{1*}，不是文本文件。"

A sentence is matched against the templates, its values are taken out and put into the translation.
`{1*}` marks a value that is itself in the catalogue, a list of such, or several sentences. What is
not found stays English: a message is never lost for want of a translation.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from operator import ne
from pathlib import Path

from gptdesk import paths
from gptdesk.errors import GptDeskError
from gptdesk.ui import language

_log = logging.getLogger(__name__)
_PLACE = re.compile(r"\{(\d+)(\*?)\}")
_ENDS = {re.compile(r"(?<=\.) "): "", re.compile("; "): "；"}  # between sentences, and their parts
_LONGEST = 10_000
_DEEPEST = 4  # a value within a value within a sentence; more would be a loop of the catalogue


@dataclass(frozen=True)
class Template:
    """One English sentence and its translation.

    Attributes:
        order: numbers of its places, from left to right.
        literals: the text before, between and behind the places: one more than there are places.
        translation: with places `{0}`, or `{0*}` for values to translate too.
    """

    order: tuple[int, ...]
    literals: tuple[str, ...]
    translation: str

    @classmethod
    def of(cls, english: str, translation: str) -> Template:
        """Cut an English template at its places."""
        pieces = _PLACE.split(english)
        return cls(tuple(map(int, pieces[1::3])), tuple(pieces[::3]), translation)

    @property
    def weight(self) -> int:
        """Characters that a sentence must have to match."""
        return sum(map(len, self.literals))

    def match(self, text: str) -> dict[int, str] | None:
        """The values of the places in `text`, or None when it is another sentence.

        Each value is as short as can be, so this takes one pass over the text.
        """
        first, *rest = self.literals
        if not rest:
            return {} if text == first else None
        *middle, last = rest
        end = len(text) - len(last)
        if not text.startswith(first) or not text.endswith(last) or end < len(first):
            return None
        values: dict[int, str] = {}
        position = len(first)
        for number, literal in zip(self.order, middle, strict=False):
            found = text.find(literal, position, end)
            if found < 0:
                return None
            values[number] = text[position:found]
            position = found + len(literal)
        values[self.order[-1]] = text[position:end]
        return values


class Catalogue:
    """Templates of one language.

    Args:
        sentences: English to translation, of what is told by itself.
        fragments: the same, of what stands in a place marked with `*` of a sentence.
    """

    def __init__(self, sentences: Mapping[str, str], fragments: Mapping[str, str]) -> None:
        self._sentences = _longest_first(sentences)
        self._all = _longest_first({**sentences, **fragments})

    def translate(self, text: str) -> str:
        """`text` in the catalogue's language; as it is when no template matches."""
        return self._translate(text, 0)

    def _translate(self, text: str, depth: int) -> str:
        if not text or len(text) > _LONGEST or depth > _DEEPEST:
            return text
        for template in self._all if depth else self._sentences:
            values = template.match(text)
            if values is not None:
                return self._fill(template.translation, values, depth)
        return text

    def _fill(self, translation: str, values: Mapping[int, str], depth: int) -> str:
        def value(place: re.Match[str]) -> str:
            found = values.get(int(place[1]), "")
            return self._value(found, depth + 1) if place[2] else found

        return _PLACE.sub(value, translation)

    def _value(self, text: str, depth: int) -> str:
        for end, mark in _ENDS.items():
            parts = [part.strip() for part in end.split(text)]
            told = [self._translate(part, depth) for part in parts]
            if len(parts) > 1 and all(map(ne, told, parts)):  # the end may also be inside a name
                return mark.join(told)
        whole = self._translate(text, depth)
        if whole == text and ", " in text:
            whole = "、".join(self._translate(part, depth) for part in text.split(", "))
        return whole.strip()


def _longest_first(texts: Mapping[str, str]) -> list[Template]:
    """Templates in the order of trying: the more a template says, the surer the match."""
    made = (Template.of(english, text) for english, text in texts.items() if text)
    return sorted(made, key=lambda template: -template.weight)


def catalogue_path(name: str) -> Path:
    """The catalogue of a language."""
    return paths.resources_dir() / "translations" / f"messages_{name}.toml"


@cache
def catalogue(name: str) -> Catalogue:
    """The catalogue of a language; an empty one where the file is missing or damaged."""
    try:
        data = tomllib.loads(catalogue_path(name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        _log.warning("messages stay English: %s", error)
        return Catalogue({}, {})
    return Catalogue(data.get("sentences", {}), data.get("fragments", {}))


def told(text: str) -> str:
    """A sentence from below the window, in the language of the window."""
    name = language.translators().language
    return text if name == "en" else catalogue(name).translate(text)


def told_all(texts: Iterable[object]) -> list[str]:
    """Several such sentences."""
    return [told(str(text)) for text in texts]


def told_error(error: GptDeskError) -> tuple[str, str]:
    """Title and hint of an error, in the language of the window."""
    return told(error.title), told(error.hint)
