"""Finds text in the editor: all places at once, by paragraph, in Qt's positions."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from PySide6.QtGui import QTextDocument

from gptdesk.ui.editor.raw_text import utf16_length

MAX_HITS = 10_000


@dataclass(frozen=True)
class Query:
    """What to look for."""

    text: str
    case: bool = False
    words: bool = False

    def pattern(self) -> re.Pattern[str] | None:
        """The query as a regular expression; None where there is nothing to look for."""
        if not self.text:
            return None
        found = re.escape(self.text)
        if self.words:
            found = rf"(?<!\w){found}(?!\w)"
        return re.compile(found, 0 if self.case else re.IGNORECASE)


class Hits:
    """Places of a query in a document, in order, as pairs of start and end."""

    def __init__(self, document: QTextDocument, query: Query) -> None:
        pattern = query.pattern()
        self.places: list[tuple[int, int]] = [] if pattern is None else _find(document, pattern)

    def __len__(self) -> int:
        return len(self.places)

    def after(self, position: int) -> int:
        """Index of the first hit that starts at `position` or later; around the end."""
        return bisect_left(self.places, (position, -1)) % len(self.places)

    def before(self, position: int) -> int:
        """Index of the last hit that starts before `position`; around the start."""
        return (bisect_left(self.places, (position, -1)) - 1) % len(self.places)

    def around(self, position: int, count: int) -> list[tuple[int, int]]:
        """At most `count` hits, half of them before a position."""
        first = max(0, bisect_left(self.places, (position, -1)) - count // 2)
        return self.places[first : first + count]

    def at(self, start: int, end: int) -> int | None:
        """Index of the hit that is exactly there."""
        index = bisect_right(self.places, (start, end)) - 1
        return index if index >= 0 and self.places[index] == (start, end) else None


def _find(document: QTextDocument, pattern: re.Pattern[str]) -> list[tuple[int, int]]:
    """Search the paragraphs; a query holds no line end, so no hit crosses one."""
    raw = document.toRawText()
    found: list[tuple[int, int]] = []
    done = position = 0  # the same place, in Python's and in Qt's counting
    for match in pattern.finditer(raw):
        position += utf16_length(raw[done : match.start()])
        done = match.end()
        end = position + utf16_length(match[0])
        found.append((position, end))
        position = end
        if len(found) == MAX_HITS:
            break
    return found
