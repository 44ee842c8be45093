"""Plain text in and out of a QTextDocument without losing a character.

`QTextDocument.toPlainText()` turns no-break spaces into spaces and U+2028 into new lines;
`toRawText()` does not, but ends paragraphs with U+2029. On the way in, QTextDocument starts a new
paragraph at U+2029, U+FDD0, U+FDD1 and carriage returns, so where a text holds one of these it is
written as a pair of characters that QTextDocument keeps.
"""

from __future__ import annotations

import re

_ESCAPE = "\ufdd2"  # a noncharacter: no sane text holds one, and one that does survives as well
_PAIRS = {
    _ESCAPE: _ESCAPE + "0",
    "\u2029": _ESCAPE + "1",
    "\ufdd0": _ESCAPE + "2",
    "\ufdd1": _ESCAPE + "3",
    "\r": _ESCAPE + "4",
}
_ORIGINALS = {pair: char for char, pair in _PAIRS.items()}
_TO_ESCAPE = re.compile("[" + "".join(_PAIRS) + "]")
_TO_RESTORE = re.compile(f"{_ESCAPE}[0-4]")
_LINE_END = re.compile("\r\n|[\r\u2029]")


def to_document(text: str) -> str:
    r"""Return `text` in the form to give to QTextDocument; paragraphs end with `\n`."""
    return _TO_ESCAPE.sub(lambda match: _PAIRS[match[0]], text)


def from_document(raw: str) -> str:
    """Return the text behind `QTextDocument.toRawText()` or `QTextCursor.selectedText()`."""
    text = raw.replace("\u2029", "\n")
    if _ESCAPE not in text:
        return text
    return _TO_RESTORE.sub(lambda match: _ORIGINALS[match[0]], text)


def clean_paste(text: str) -> str:
    r"""Return foreign text fit for a document: one kind of line end, no NUL.

    A file with a NUL counts as binary when it is opened again, so none may get in.
    """
    return _LINE_END.sub("\n", text).replace("\0", "")


def utf16_length(text: str) -> int:
    """Length of `text` in QTextCursor positions: a character beyond U+FFFF counts two."""
    return len(text) if _is_narrow(text) else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_index(text: str, index: int) -> int:
    """Turn an index of the Python string into one of Qt's."""
    return utf16_length(text[:index])


def python_index(text: str, position: int) -> int:
    """Turn an index of Qt's string into one of the Python string."""
    if _is_narrow(text):
        return position
    head = text.encode("utf-16-le", "surrogatepass")[: 2 * position]
    return len(head.decode("utf-16-le", "surrogatepass"))


def _is_narrow(text: str) -> bool:
    return text.isascii() or max(text, default="") <= "\uffff"
