"""Finds the numbers, links and other marks of a text, and those that its new version lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gptdesk.tasks.markup import literals

_NUMBER = re.compile(r"\d{1,3}(?:[ '’\u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,:/\-]\d+)*")
# A number is kept together with the letters around it (MP3, 14th) and the Chinese unit of a date.
_NAME = re.compile(r"[A-Za-z]{0,20}\Z")
_UNIT = re.compile(r"[A-Za-z]{1,20}|[年月日号]")
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_MONTHS = (
    ("january", "januar", "janvier"),
    ("february", "februar", "février"),
    ("march", "märz", "mars"),
    ("april", "april", "avril"),
    ("may", "mai", "mai"),
    ("june", "juni", "juin"),
    ("july", "juli", "juillet"),
    ("august", "august", "août"),
    ("september", "september", "septembre"),
    ("october", "oktober", "octobre"),
    ("november", "november", "novembre"),
    ("december", "dezember", "décembre"),
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A literal or a number in a text.

    Attributes:
        start, end: its first character, and the one after its last.
        value: what two marks that say the same have in common.
        name: how a person is told of it: a number with the letters around it.
    """

    start: int
    end: int
    value: str
    name: str


def marks(text: str) -> list[Mark]:
    """The literals and numbers of a text, ascending."""
    spans = literals(text)
    kept = [(span, text[slice(*span)].strip()) for span in spans]
    found = [Mark(*span, value, name=value) for span, value in kept]
    found += [
        Mark(*match.span(), match[0], name=text[slice(*_whole_word(text, match))])
        for match in _numbers_outside(spans, text)
    ]
    return sorted(found, key=lambda mark: mark.start)


def lost_ranges(source: str, target: str, *, verbatim: bool = True) -> list[tuple[int, int]]:
    """Ranges of the literals and numbers of `source` that `target` lacks, ascending.

    A date may come apart into its parts, and a month in a Chinese date may become its name.

    Args:
        source: what was translated or rewritten.
        target: what became of it.
        verbatim: whether numbers keep their separators; if not, 48,317 may become 48.317.
    """
    spans = literals(source)
    lost = [span for span in spans if _is_missing(source[slice(*span)].strip(), source, target)]
    found = _Numbers(target, verbatim=verbatim)
    lost += [
        _whole_word(source, match)
        for match in _numbers_outside(spans, source)
        if not found.take(match[0]) and not _is_named_month(source, match, target)
    ]
    return _merged(sorted(lost))


def made_up(source: str, target: str) -> list[str]:
    """The literals and numbers of `target` that `source` has nowhere, by their names.

    Said twice is not made up, and neither is a part of a date or a range.
    """
    known = {part for mark in marks(source) for part in (mark.value, *_parts(mark.value))}
    return [
        mark.name
        for mark in marks(target)
        if mark.value not in known and mark.value.lstrip("0") not in known
    ]


def _numbers_outside(spans: Sequence[tuple[int, int]], text: str) -> Iterator[re.Match[str]]:
    """The numbers of a text, made narrow, that do not begin in one of the spans."""
    for match in _NUMBER.finditer(_narrow(text)):
        if not any(start <= match.start() < end for start, end in spans):
            yield match


def _whole_word(source: str, match: re.Match[str]) -> tuple[int, int]:
    before = _NAME.search(source, max(0, match.start() - 20), match.start())
    after = _UNIT.match(source, match.end())
    return (
        before.start() if before else match.start(),
        after.end() if after else match.end(),
    )


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join ranges that touch or overlap, so that a Chinese date stays in one piece."""
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if merged and merged[-1][1] >= start:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _is_missing(literal: str, source: str, target: str) -> bool:
    return target.count(literal) < source.count(literal)


class _Numbers:
    """The numbers of a text; each can be taken once."""

    def __init__(self, text: str, *, verbatim: bool) -> None:
        self._verbatim = verbatim
        found = [match[0] for match in _NUMBER.finditer(_narrow(text))]
        self._whole = Counter(map(self._key, found))
        self._parts = Counter(part for number in found for part in _parts(number))

    def take(self, number: str) -> bool:
        """Whether the number is there, whole or, like the ends of 10-20, apart."""
        key = self._key(number)
        if self._whole[key] > 0:
            self._whole[key] -= 1
            return True
        parts = Counter(_parts(number))
        return parts.total() > 1 and all(self._parts[part] >= parts[part] for part in parts)

    def _key(self, number: str) -> str:
        return number if self._verbatim else "".join(filter(str.isdigit, number))


def _narrow(text: str) -> str:
    """The same, character by character, with full-width digits and signs made narrow."""
    return text.translate(_NARROW)


def _parts(number: str) -> list[str]:
    """The parts of a date, a time or a range: 2026-03-14, 14.3.2026, 10:30, 10-20."""
    marks = r"[.:/\-]" if number.count(".") == 2 else r"[:/\-]"
    return [part.lstrip("0") for part in re.split(marks, number)]


def _is_named_month(source: str, match: re.Match[str], target: str) -> bool:
    number = int(match[0]) if len(match[0]) <= 2 else 0
    if not 1 <= number <= len(_MONTHS) or source[match.end() : match.end() + 1] != "月":
        return False
    return any(name in target.lower() for name in _MONTHS[number - 1])
