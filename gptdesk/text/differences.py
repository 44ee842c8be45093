"""What differs between two versions of a text, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Characters of Chinese and Japanese, for a set in a pattern."""

_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+|\S")

Change = tuple[int, int, int, int]
"""First character and the one after the last, in the old text and in the new one."""


def words(text: str) -> list[str]:
    """Words, single Chinese and Japanese characters, and single marks; no white space."""
    return _WORD.findall(text)


def matched(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the words that both have in the same order, ascending in both.

    The longest common runs first (Ratcliff and Metzener 1988), as a reader sees them.
    """
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        (block.a + at, block.b + at)
        for block in matcher.get_matching_blocks()
        for at in range(block.size)
    ]


def changes(old: str, new: str) -> list[Change]:
    """The ranges that differ, ascending; everything between them is equal.

    They are as wide as the words in them. White space counts: a removed space is a change.
    """
    before, after = [[match.span() for match in _WORD.finditer(text)] for text in (old, new)]
    pairs = matched([old[slice(*span)] for span in before], [new[slice(*span)] for span in after])
    found, start, new_start = [], 0, 0
    ends = (len(old), len(old)), (len(new), len(new))
    for at, new_at in [*pairs, (-1, -1)]:
        span = before[at] if at >= 0 else ends[0]
        new_span = after[new_at] if at >= 0 else ends[1]
        if old[start : span[0]] != new[new_start : new_span[0]]:
            found.append(_trimmed(old, new, (start, span[0], new_start, new_span[0])))
        start, new_start = span[1], new_span[1]
    return found


def applied(old: str, new: str, chosen: Sequence[Change]) -> str:
    """`old` with the chosen changes, ascending ones of those that lead to `new`."""
    parts, place = [], 0
    for start, end, new_start, new_end in chosen:
        parts += [old[place:start], new[new_start:new_end]]
        place = end
    return "".join([*parts, old[place:]])


def _trimmed(old: str, new: str, change: Change) -> Change:
    """Without the white space that both have at the ends."""
    start, end, new_start, new_end = change
    while start < end and new_start < new_end and _same_space(old[start], new[new_start]):
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and _same_space(old[end - 1], new[new_end - 1]):
        end, new_end = end - 1, new_end - 1
    return start, end, new_start, new_end


def _same_space(first: str, second: str) -> bool:
    return first == second and first.isspace()
