"""Whether a regular expression of a stranger may take for ever.

The engine (Oniguruma) backtracks. What makes that explode is a repetition within a repetition,
as in (x+x+)+y, a reference back, or recursion; splitting text into words needs none of them. A
long chain of repetitions that may stand for one another, as in x*x*x*x*y, is as bad.
"""

from __future__ import annotations

import re

_MAX_LENGTH = 20_000  # characters; the longest in use have some thousands
_MAX_CHAIN = 8  # repetitions in one alternative; patterns in use have three
_MAX_COUNT = 1000
_PART = re.compile(
    r"""
    (?P<escape> \\(?: [pPxXuok]\{[^}]*\} | [gk]<[^>]*> | . ) )
  | (?P<open>   \( (?: \?(?: <[=!] | [=!:>] | [imx-]+:? ) )? )
  | (?P<close>  \) )
  | (?P<or>     \| )
  | (?P<repeat> (?: [*+?] | \{\d*,?\d*\} ) [?+]? )
  | (?P<plain>  . )
    """,
    re.VERBOSE | re.DOTALL,
)


def why_slow(pattern: str) -> str:
    """What about the pattern may take for ever, in words; "" if nothing does."""
    if len(pattern) > _MAX_LENGTH:
        return f"a pattern has {len(pattern)} characters"
    levels = [_Level()]
    at = 0
    while at < len(pattern):
        if pattern[at] == "[":
            at = _class_end(pattern, at)
            levels[-1].last_repeats = False
            continue
        part = _PART.match(pattern, at)
        if part is None:
            return ""  # not a pattern at all: the engine will say so
        at = part.end()
        why = _follow(levels, part.lastgroup or "", part.group())
        if part.group() == "(" and pattern.startswith("?", at):
            why = "a pattern has a group of an unusual kind"
        if part.group().endswith("}+") and pattern[at : at + 1] not in ("", "|"):
            # Not possessive here: a repetition of a repetition, harmless only as the last item.
            why = "a pattern repeats what repeats"
        if why:
            return f"{why}: {pattern[:60]!r}"
    return ""


class _Level:
    """What is known of the group that is being read.

    Attributes:
        chain: repetitions in this alternative so far.
        repeats: whether anything in the group repeats.
        last_repeats: whether the item just read has a repetition inside.
    """

    def __init__(self) -> None:
        self.chain = 0
        self.repeats = False
        self.last_repeats = False


def _follow(levels: list[_Level], kind: str, text: str) -> str:
    level = levels[-1]
    if kind == "escape":
        level.last_repeats = False
        if re.fullmatch(r"\\(?:[1-9]|[gk]<.*>)", text):
            return "a pattern refers back to itself"
    elif kind == "open":
        levels.append(_Level())
    elif kind == "close" and len(levels) > 1:
        inner = levels.pop()
        levels[-1].last_repeats = inner.repeats
        levels[-1].repeats |= inner.repeats
        levels[-1].chain += inner.chain
    elif kind == "or":
        level.chain = 0
    elif kind == "repeat" and text not in ("?", "??", "?+"):
        return _repeat(level, text)
    elif kind == "plain":
        level.last_repeats = False
    return "a pattern has a long chain of repetitions" if levels[-1].chain > _MAX_CHAIN else ""


def _repeat(level: _Level, text: str) -> str:
    if level.last_repeats:
        return "a pattern repeats what repeats"
    if any(int(count) > _MAX_COUNT for count in re.findall(r"\d+", text)):
        return "a pattern counts very far"
    level.chain += 1
    level.repeats = level.last_repeats = True
    return ""


def _class_end(pattern: str, start: int) -> int:
    """The index behind a character class, which may hold others."""
    depth = 0
    at = start
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "[":
            depth += 1
        elif pattern[at] == "]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(pattern)
