"""Which part of a long text the model sees when it continues it."""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gptdesk.text.tokenizer import Tokenizer


# More characters than `budget` tokens can hold in ordinary text; keeps a long book from being
# tokenized whole at every key press.
_CHARACTERS_PER_TOKEN = 8
_SMALLEST_STEP = 32

_BORDERS = (
    re.compile(r"\n\s*"),  # before a paragraph
    re.compile(r"(?:[.!?…][\"'”’»)]*\s+|[。！？][」』”’）]*)"),  # before a sentence
    re.compile(r"\s+|[，、；：]"),  # before a word or clause
)


def window_start(text: str, tokenizer: Tokenizer, budget: int) -> int:
    """Where the last `budget` tokens of `text` begin, in characters, at a good border.

    The window moves in steps of `budget // 2` characters (about a tenth of it in English, a
    third in Chinese) and not with every key press: as long as its start stays, everything
    the model has already read stays in the KV cache.
    """
    step = max(_SMALLEST_STEP, budget // 2)
    nearest = max(0, len(text) - budget * _CHARACTERS_PER_TOKEN)
    first, last = -(-nearest // step), max(0, len(text) - 1) // step

    def fits(number: int) -> bool:
        return tokenizer.count(text[_border(text, number * step, step) :]) <= budget

    number = bisect.bisect_left(range(first, last + 1), True, key=fits) + first
    return (
        _border(text, number * step, step) if number <= last else _hard_cut(text, tokenizer, budget)
    )


def _border(text: str, place: int, reach: int) -> int:
    """The first paragraph, else sentence, else word border at most `reach` after `place`."""
    if place == 0:
        return 0
    for pattern in _BORDERS:
        match = pattern.search(text, place, min(len(text), place + reach))
        if match and match.end() < len(text):
            return match.end()
    return place


def _hard_cut(text: str, tokenizer: Tokenizer, budget: int) -> int:
    """The last resort when even one step is too long: cut anywhere."""
    start = max(0, len(text) - max(1, budget))
    while start < len(text) - 1 and tokenizer.count(text[start:]) > budget:
        start += max(1, (len(text) - start) // 4)
    return start
