"""Cutting text to a number of tokens, at the borders a reader would choose."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gptdesk.text.segmentation import Span, paragraphs, sentences

if TYPE_CHECKING:
    from gptdesk.text.tokenizer import Tokenizer

_CHARACTERS_PER_TOKEN = 6  # a first guess; a wrong one costs another look
_MAX_REACH = 0.25  # of the budget: how far a cut may move to reach a better border


def chunks(text: str, tokenizer: Tokenizer, max_tokens: int) -> list[str]:
    """Cut `text` into pieces of at most `max_tokens` tokens; joined, they are the text.

    Whole paragraphs stay together where they fit, then whole sentences, then words. A text
    without any border is cut between characters. Only a single character that needs more than
    `max_tokens` tokens by itself makes a longer piece.

    The tokens of each part are counted once, so the time grows with the length of the text.
    """
    packer = _Packer(tokenizer, max(1, max_tokens))
    if text:
        packer.add(text, 0)
    packer.close()
    return packer.done


def tail(text: str, tokenizer: Tokenizer, max_tokens: int) -> str:
    """The longest end of `text` within `max_tokens` tokens, from a sentence or word on.

    Looks at the end only: a long document costs no more than a short one.
    """
    if max_tokens < 1:
        return ""
    size = max_tokens * _CHARACTERS_PER_TOKEN
    while True:
        end = text[-size:]
        starts = tokenizer.token_starts(end)
        if len(starts) > max_tokens or len(end) == len(text):
            break
        size *= 4
    while len(starts) > max_tokens:
        end = end[_good_start(end, starts, max_tokens) :]
        starts = tokenizer.token_starts(end)
    return end


def _good_start(text: str, starts: list[int], max_tokens: int) -> int:
    """Where an end of `text` of at most `max_tokens` tokens should begin; at least 1."""
    first = max(1, starts[-max_tokens])
    reach = starts[-max(1, int(max_tokens * (1 - _MAX_REACH)))]
    borders = [span.start for span in sentences(text)]
    at = bisect.bisect_left(borders, first)
    if at < len(borders) and borders[at] <= reach:
        return borders[at]
    return next((i for i in range(first, reach) if text[i - 1].isspace()), first)


class _Packer:
    """Fills one piece after another with parts of the text, in order."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        self.done: list[str] = []
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._parts: list[str] = []
        self._tokens = 0

    def add(self, text: str, level: int) -> None:
        """Take `text`, cut at the borders of `_LEVELS[level]` and finer ones where it must be."""
        tokens = self._tokenizer.count(text) if len(text) < self._longest else self._max_tokens + 1
        if tokens <= self._max_tokens:
            self._take(text, tokens)
        elif level < len(_LEVELS):
            for span in _LEVELS[level](text):
                self.add(text[span.start : span.end], level + 1)
        else:
            for part, tokens in _hard_cuts(text, self._tokenizer, self._max_tokens):
                self._take(part, tokens)

    def close(self) -> None:
        """Finish the piece at hand."""
        if self._parts:
            self.done.append("".join(self._parts))
        self._parts, self._tokens = [], 0

    @property
    def _longest(self) -> int:
        """Characters from which on a text surely is too long; saves counting a whole book."""
        return self._max_tokens * 200

    def _take(self, text: str, tokens: int) -> None:
        if self._tokens + tokens > self._max_tokens:
            self.close()
        # Tokens may join or part across the border: near the limit, only a count is certain.
        near = self._tokens + tokens > self._max_tokens - len(self._parts) - 8
        if self._parts and near:
            joined = "".join((*self._parts, text))
            if self._tokenizer.count(joined) > self._max_tokens:
                self.close()
        self._parts.append(text)
        self._tokens += tokens


_LEVELS: tuple[Callable[[str], list[Span]], ...] = (paragraphs, sentences)


def _hard_cuts(text: str, tokenizer: Tokenizer, max_tokens: int) -> Iterator[tuple[str, int]]:
    """Cut a sentence that is too long behind white space, or else between characters.

    Yields each part with the number of its tokens.
    """
    starts = tokenizer.token_starts(text)
    start = 0
    while start < len(text):
        first = bisect.bisect_left(starts, start)
        end = starts[first + max_tokens] if first + max_tokens < len(starts) else len(text)
        end = max(start + 1, end)
        part = text[start : _word_end(text, start, end)]
        tokens = tokenizer.count(part)
        while len(part) > 1 and tokens > max_tokens:
            part = part[: max(1, len(part) * 7 // 8)]
            tokens = tokenizer.count(part)
        yield part, tokens
        start += len(part)


def _word_end(text: str, start: int, end: int) -> int:
    """The last place at or before `end` behind white space, if it is not far away."""
    if end >= len(text):
        return len(text)
    nearest = end - int((end - start) * _MAX_REACH)
    return next((i for i in range(end, max(start, nearest), -1) if text[i - 1].isspace()), end)
