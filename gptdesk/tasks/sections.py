"""Cuts a text into ranges: equal sections, or wherever pieces of it stand."""

from __future__ import annotations

from collections.abc import Sequence

from gptdesk.text.segmentation import sentences

Range = tuple[int, int]
"""First character and the one after the last."""


def located(text: str, pieces: Sequence[str], offset: int = 0) -> list[Range]:
    """Where consecutive pieces of `text` stand in it, plus `offset`."""
    ranges, place = [], 0
    for piece in pieces:
        start = text.index(piece, place)
        place = start + len(piece)
        ranges.append((start + offset, place + offset))
    return ranges


def sections(text: str, count: int) -> list[Range]:
    """Cut a text between sentences into at most `count` sections of about equal length.

    A text of fewer sentences gives as many sections as it has sentences; a text without a word
    gives none.
    """
    spans = [span for span in sentences(text) if text[span.start : span.end].strip()]
    count = min(count, len(spans))
    found: list[Range] = []
    first = 0
    for number in range(1, count + 1):
        wanted = len(text) * number / count
        # Leave a sentence for each section that follows.
        latest = len(spans) - (count - number)
        after = first + 1
        while after < latest and (number == count or spans[after].end <= wanted):
            after += 1
        found.append((spans[first].start, spans[after - 1].end))
        first = after
    return found
