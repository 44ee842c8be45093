"""Counts and sizes as people read them."""

from __future__ import annotations

import re
from functools import lru_cache

from PySide6.QtCore import QCoreApplication

_NO_BREAK_SPACE = "\u00a0"
# One word each: a character of a script written without spaces, or a run of letters and digits with
# the apostrophes and hyphens inside it.
_IDEOGRAPH = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_IDEOGRAPH}]|(?:(?![{_IDEOGRAPH}])\w)+(?:['’\-](?:(?![{_IDEOGRAPH}])\w)+)*")


def count_words(text: str) -> int:
    """Words of `text`; each Chinese or Japanese character counts as one, as editors there do."""
    return sum(map(_words_of, text.split("\n")))


# A key changes one paragraph; the others of a novel need not be counted again while somebody types.
@lru_cache(maxsize=100_000)
def _words_of(paragraph: str) -> int:
    return sum(1 for _ in _WORD.finditer(paragraph))


def grouped(number: int) -> str:
    """1204 as "1 204", with spaces that do not break."""
    return f"{number:,}".replace(",", _NO_BREAK_SPACE)


def size_text(count: int) -> str:
    """Bytes as MB or GB (powers of ten, as file managers show them)."""
    if count >= 1_000_000_000:
        return QCoreApplication.translate("numbers", "{0} GB").format(f"{count / 1e9:.1f}")
    return QCoreApplication.translate("numbers", "{0} MB").format(f"{count / 1e6:.1f}")


def parameters_text(count: int) -> str:
    """Parameters as "1.5 B", "124 M" or "800 K"."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if count >= unit:
            value = count / unit
            return (
                f"{value:.0f}{_NO_BREAK_SPACE}{name}"
                if value >= 100
                else f"{value:.1f}{_NO_BREAK_SPACE}{name}"
            )
    return str(count)
