"""Finds the Markdown marks of one paragraph, for muting them and enlarging headings.

Only marks that begin and end within a paragraph count: no state crosses a line, so a paragraph
can be formatted when it comes into view, whatever stands before it. Positions are indices of the
Python string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LENGTH = 20_000
"""Longer paragraphs stay plain: they are data rather than prose."""


@dataclass(frozen=True)
class Mark:
    """A stretch of a paragraph that looks different."""

    start: int
    length: int
    kind: str  # "muted", "strong", "emphasis", "code", "quote" or "heading1" … "heading6"


_HEADING = re.compile(r"(#{1,6})([ \t]+)\S")
_RULE = re.compile(r"\s{0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,}|`{3,}.*|~{3,}.*)$")
_LEAD = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])(?=\s)|(?:\s{0,3}>)+")
_SPANS = re.compile(
    r"(?P<code>(?P<tick>`+)[^`]+(?P=tick)(?!`))"
    r"|(?P<strong>(?P<s>\*\*|__)(?=\S)(?:(?!(?P=s)).)+(?<=\S)(?P=s))"
    r"|(?P<emphasis>(?<![\w*])(?P<e>[*_])(?=[^\s*_])[^*_]+(?<=\S)(?P=e)(?![\w*]))"
)
_DELIMITER = {"code": "tick", "strong": "s", "emphasis": "e"}


def marks(text: str) -> list[Mark]:
    """Return the marks of one paragraph; later ones lie on top of earlier ones."""
    if len(text) > MAX_LENGTH:
        return []
    heading = _HEADING.match(text)
    if heading:
        hashes = len(heading[1])
        found = [Mark(0, len(text), f"heading{hashes}"), Mark(0, hashes, "muted")]
        return [*found, *_spans(text, hashes)]
    if _RULE.match(text):
        return [Mark(0, len(text), "muted")]
    lead = _LEAD.match(text)
    if lead is None:
        return list(_spans(text, 0))
    quote = [Mark(0, len(text), "quote")] if ">" in lead[0] else []
    return [*quote, Mark(0, lead.end(), "muted"), *_spans(text, lead.end())]


def _spans(text: str, start: int) -> Iterator[Mark]:
    for match in _SPANS.finditer(text, start):
        kind = match.lastgroup if match.lastgroup in _DELIMITER else _kind(match)
        edge = len(match[_DELIMITER[kind]])
        yield Mark(match.start(), len(match[0]), kind)
        yield Mark(match.start(), edge, "muted")
        yield Mark(match.end() - edge, edge, "muted")


def _kind(match: re.Match[str]) -> str:
    return next(kind for kind in _DELIMITER if match[kind] is not None)
