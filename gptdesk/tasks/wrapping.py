"""Hard-wrapped paragraphs: lines that were broken to fit a width are written anew as one text.

Translated or rewritten line by line, their sentences would fall apart; as one text they stay
whole, and the result is broken again into as many lines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from gptdesk.tasks.joining import is_wide
from gptdesk.tasks.markup import Line
from gptdesk.text.differences import CJK

_NARROWEST, _WIDEST = 45, 100
_SENTENCE_END = re.compile(r"[.!?:;…。！？：；][\"'”’»)」』】》）]*$")
_CJK = re.compile(f"[{CJK}]")


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
        line.end - line.start + len(_gap(line, following) + _first_word(following.body)) > width
        for line, following in itertools.pairwise(run)
    )
    return full and any(not _SENTENCE_END.search(line.body) for line in run[:-1])


def _first_word(body: str) -> str:
    """What a line has to begin with, if it is broken at the first place where it may be."""
    word = body.split(maxsplit=1)[0]
    return word[: next((at for at in range(1, len(word)) if _may_break(word, at)), len(word))]


def _gap(line: Line, following: Line) -> str:
    """What stands for the line break when two lines become one."""
    unspaced = is_wide(line.body[-1]) and is_wide(following.body[0])
    # Curly quotes and dots are wide to Chinese alone: English keeps its space between them.
    return "" if unspaced and _CJK.search(line.body + following.body) else " "


def _with_gaps(block: Sequence[Line]) -> list[str]:
    """The words of each line and what stands for the break after them."""
    gaps = [_gap(line, following) for line, following in itertools.pairwise(block)]
    return [line.body + gap for line, gap in zip(block, [*gaps, ""], strict=True)]


def joined(block: Sequence[Line]) -> str:
    """The words of a block as one line."""
    return "".join(_with_gaps(block))


def broken(text: str, block: Sequence[Line]) -> list[str]:
    """Break `text` into as many lines as the block has, of about the same shares.

    Breaks between words, and between the characters of scripts without spaces. A text of too
    few words leaves the last lines empty. The words of the block itself break where they did.
    """
    pieces = _with_gaps(block)
    whole = "".join(pieces)
    if text == whole:
        return [line.body for line in block]
    places = [place for place in range(1, len(text)) if _may_break(text, place)]
    parts, start, passed = [], 0, 0
    for line, piece in zip(block[:-1], pieces, strict=False):
        wanted = len(text) * (passed + len(line.body)) / len(whole)
        passed += len(piece)
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
