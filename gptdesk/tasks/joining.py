"""Puts translated pieces of a line together with the spaces that the target language wants."""

from __future__ import annotations

import re

# Chinese and Japanese characters, their punctuation and full-width forms: no spaces between.
_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…]")


def is_wide(character: str) -> bool:
    """Whether this is a character of a script that is written without spaces."""
    return bool(_WIDE.match(character))


class Joiner:
    """Joins pieces as they come; what `push` and `flush` return is the line.

    Args:
        spaces: whether the target language writes spaces between words.
    """

    def __init__(self, *, spaces: bool) -> None:
        self._spaces = spaces
        self._held = ""
        self._last = ""
        self._source_last = ""

    def push(self, source: str, text: str) -> str:
        """Add a piece, given with what it was translated from; return what can be shown."""
        core = text.strip(" ")
        if not core:
            self._held += text
            return ""
        gap = self._held + text[: len(text) - len(text.lstrip(" "))]
        shown = self._gap(gap, source, core) + core
        self._held = text[len(text.rstrip(" ")) :]
        self._last, self._source_last = core[-1], source[-1:]
        return shown

    def flush(self) -> str:
        """The spaces at the end of the line."""
        held, self._held = self._held, ""
        return held

    def _gap(self, gap: str, source: str, core: str) -> str:
        if not self._last:
            return gap
        if not self._spaces and gap == " " and is_wide(self._last) and is_wide(core[0]):
            return ""
        # Chinese puts nothing between a word and an address or between sentences.
        unspaced = is_wide(self._source_last or " ") or is_wide(source[:1] or " ")
        if self._spaces and not gap and unspaced and self._ends_word() and core[0].isalnum():
            return " "
        return gap

    def _ends_word(self) -> bool:
        return self._last.isalnum() or self._last in ".!?,;:)\"'”’/"


class Verbatim:
    """Joins pieces that were written anew in their own language: their spaces are right."""

    def push(self, source: str, text: str) -> str:  # noqa: ARG002  as of Joiner
        """Add a piece; return it."""
        return text

    def flush(self) -> str:
        """Nothing: nothing is held back."""
        return ""
