"""Paragraphs and sentences of English, Chinese, German and French, as spans that lose nothing.

Rules, not statistics: a sentence ends at a terminator and the quotes and brackets that close
behind it, unless what stands around a full stop says otherwise (abbreviation, initial, ordinal,
a small letter after it). A wrong guess costs a little quality and never a character.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """The characters `start` to `end` (excluded) of a text."""

    start: int
    end: int


def paragraphs(text: str) -> list[Span]:
    """Blocks between blank lines, each with the blank lines that follow it.

    Joined, the spans are the whole text; an empty text has none.
    """
    return list(_tiles(len(text), (match.end() for match in _BLANK_LINES.finditer(text))))


def sentences(text: str) -> list[Span]:
    """Sentences, each with the white space that follows it.

    A line break ends a sentence, except between the lines of a hard-wrapped block. Joined, the
    spans are the whole text; an empty text has none.
    """
    return list(_tiles(len(text), sorted({*_line_borders(text), *_sentence_borders(text)})))


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Possessive quantifiers: a book of empty lines must not make the search go back and forth.
_BLANK_LINES = re.compile(r"\n[^\S\n]*+\n\s*+")
_LINE_BREAK = re.compile(r"\n\s*+")
_LIST_MARK = re.compile(r"\s*(?:[-*+•>#|]|\d{1,3}[.)]\s)")

_WIDE_ENDS = "。！？；｡"
_CLOSERS = "\"'”’»›」』）】》〉)\\]*_"
_TERMINATOR = re.compile(
    rf"(?P<mark>[.!?…{_WIDE_ENDS}]+)(?:[\u0020\u00a0\u202f]?[»›]|[{_CLOSERS}])*(?P<space>\s*)"
)
_WORD_BEFORE = re.compile(r"[\w.\-]*\Z")
_OPENERS = "\"'“‘„«‹「『（【《(["

_ALWAYS_ABBREVIATED = _words(
    "mr mrs ms dr prof rev gen col capt lt sgt sen rep gov hon st mt messrs vs cf al approx dept "
    "est viz bzw ca vgl ggf evtl inkl exkl bspw sog geb gest hrsg dipl ing mme mlle env dgl "
    "zzgl resp tel e.g i.e z.b d.h u.a o.ä u.s p.ex c.-à-d"
)
_ABBREVIATED_BEFORE_NUMBERS = _words(
    "no nos nr art abs bd fig figs vol pp p s ch sec eq kap st jan feb mar apr jun jul aug sep "
    "sept oct nov dec av n"
)
_AFTER_ORDINAL = re.compile(
    r"(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|"
    r"Jahrhundert|Kapitel|Klasse|Stock|Auflage|Mal|Tag|Platz|Band)"
)


def _tiles(length: int, borders: Iterable[int]) -> Iterator[Span]:
    """Spans from 0 to `length`, cut at the ascending `borders`."""
    inner = (border for border in borders if 0 < border < length)
    for start, end in itertools.pairwise((0, *inner, length)):
        if start < end:
            yield Span(start, end)


def _line_borders(text: str) -> Iterator[int]:
    for block in paragraphs(text):
        yield block.end
        body = text[block.start : block.end]
        wrapped = _is_wrapped(body)
        for match in _LINE_BREAK.finditer(body):
            if not wrapped or _LIST_MARK.match(body, match.end()):
                yield block.start + match.end()


def _is_wrapped(block: str) -> bool:
    """Whether the lines were broken to fit a width: all but the last are about as long."""
    lines = block.strip().split("\n")
    return len(lines) > 1 and all(40 <= len(line.rstrip()) <= 100 for line in lines[:-1])


def _sentence_borders(text: str) -> Iterator[int]:
    for match in _TERMINATOR.finditer(text):
        if match["mark"][-1] in _WIDE_ENDS or _ends_sentence(text, match):
            yield match.end()


def _ends_sentence(text: str, match: re.Match[str]) -> bool:
    """Whether a narrow terminator (. ! ? …) ends a sentence."""
    following = text[match.end() : match.end() + 20].lstrip(_OPENERS)
    if not match["space"] or not following or following[0].islower():
        return False
    return match["mark"] != "." or not _is_abbreviation(text, match.start(), following)


def _is_abbreviation(text: str, dot: int, following: str) -> bool:
    before = _WORD_BEFORE.search(text, max(0, dot - 20), dot)
    word = before[0] if before else ""
    lower = word.lower()
    if lower in _ALWAYS_ABBREVIATED or (len(word) == 1 and word.isalpha() and word.isascii()):
        return True
    if following[0].isdigit() and lower in _ABBREVIATED_BEFORE_NUMBERS:
        return True
    if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):  # U.S, z.B, J.R.R
        return True
    if not (word.isdigit() and len(word) <= 2):
        return False
    # "3. März" is a date, "1. Boil the water" begins a list; "He was 42. Then" is neither.
    line_start = text.rfind("\n", 0, dot) + 1
    return bool(_AFTER_ORDINAL.match(following)) or text[line_start:dot].strip() == word
