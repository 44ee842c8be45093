"""Decoding token by token, so that no character and no space is ever wrong on the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_BROKEN = "\ufffd"
_LONGEST_CHARACTER = 4  # bytes of UTF-8, hence at most so many tokens
_MEMORY = 8  # tokens in front that may decide about a space


class TextStream:
    """Joined, the texts given out equal the text of all ids, decoded at once behind `before`.

    A character may need several tokens: its bytes are held back until it is whole, and dropped
    if the text ends before. U+FFFD comes out only for bytes that no further token can complete.

    The stream decodes a short window: the tokens since the last whole character, and the ones
    just before them, because a decoder may drop the space in front of the first token it sees.

    Args:
        decode: ids to text, special tokens left out.
        before: ids in front of the first one pushed.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], before: Sequence[int] = ()) -> None:
        self._decode = decode
        self._window = _whole_end(decode, before)
        self._old = len(self._window)  # tokens of the window whose text was given out
        self._pending = 0  # tokens since the last whole character
        self._text = decode(self._window)
        self._given = len(self._text)

    def push(self, token: int) -> str:
        """Add one id; returns what may be appended now, "" while a character is incomplete."""
        self._window.append(token)
        self._pending += 1
        self._text = self._decode(self._window)
        if not self._text.endswith(_BROKEN):
            return self._give_whole()
        if self._pending < _LONGEST_CHARACTER:
            return ""
        return self._give(len(self._text) - 1)

    def flush(self) -> str:
        """What is left when no token can follow; the bytes of an unfinished character are not."""
        return self._give(len(self._text.rstrip(_BROKEN)))

    def _give_whole(self) -> str:
        text = self._give(len(self._text))
        self._pending = 0
        if text:  # a token without text cannot stand for what was in front of the next one
            del self._window[: self._old]
            self._old = len(self._window)
            self._text = self._decode(self._window)
            self._given = len(self._text)
        return text

    def _give(self, end: int) -> str:
        text = self._text[self._given : end]
        self._given = max(self._given, end)
        return text


def _whole_end(decode: Callable[[Sequence[int]], str], ids: Sequence[int]) -> list[int]:
    """The shortest end of `ids` that has text and starts with a whole character."""
    for count in range(1, min(len(ids), _MEMORY) + 1):
        end = list(ids[-count:])
        text = decode(end)
        if text and _BROKEN not in text:
            return end
    return list(ids[-_MEMORY:])
