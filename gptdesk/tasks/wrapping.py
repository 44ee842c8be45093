"""Hard-wrapped paragraphs: lines that were broken to fit a width are translated as one text.

Translated line by line, their sentences would fall apart; translated as one, the result is
broken again into as many lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from gptdesk.tasks.joining import is_wide
from gptdesk.tasks.markup import Line

_NARROWEST, _WIDEST = 45, 100
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’»)]*$")


def blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield the lines in order, those of a wrapped paragraph together."""
    run: list[Line] = []
    for line in lines:
        if run and not _may_follow(run[-1], line):
            yield from _divided(run)
            run = []
        run.append(line)
    yield from _divided(run)


def _may_follow(line: Line, following: Line) -> bool:
    return bool(line.body and following.body and not line.tail and not following.marker.strip())


def _divided(run: list[Line]) -> list[list[Line]]:
    return [run] if _is_wrapped(run) else [[line] for line in run]


def _is_wrapped(run: list[Line]) -> bool:
    """Whether each line ends where the next word would have gone beyond the width.

    Verses and lists of sentences do not end so. The longest line fits this by nature, so at
    least one line must end amid a sentence, too.
    """
    width = max((line.end - line.start for line in run), default=0)
    if len(run) < 2 or not _NARROWEST <= width <= _WIDEST:
        return False
    full = all(
        line.end - line.start + 1 + len(following.body.split(maxsplit=1)[0]) > width
        for line, following in itertools.pairwise(run)
    )
    return full and any(not _SENTENCE_END.search(line.body) for line in run[:-1])


def joined(block: Sequence[Line]) -> str:
    """The words of a block as one line."""
    return " ".join(line.body for line in block)


def broken(text: str, block: Sequence[Line]) -> list[str]:
    """Break `text` into as many lines as the block has, of about the same shares.

    Breaks between words, and between the characters of scripts without spaces. A text of too
    few words leaves the last lines empty.
    """
    whole = len(joined(block))
    places = [place for place in range(1, len(text)) if _may_break(text, place)]
    parts, start, passed = [], 0, 0
    for line in block[:-1]:
        passed += len(line.body)
        wanted = len(text) * passed / whole
        passed += 1
        free = [place for place in places if place > start]
        end = min(free, key=lambda place: abs(place - wanted), default=len(text))
        parts.append(text[start:end].strip(" "))
        start = end
    return [*parts, text[start:].strip(" ")]


def _may_break(text: str, place: int) -> bool:
    before, after = text[place - 1], text[place]
    if after == " " or before == " ":
        return after == " "
    # Chinese punctuation never begins a line, and its opening marks never end one.
    return is_wide(before) and is_wide(after) and after.isalnum() and before not in "（「『【《“‘"
