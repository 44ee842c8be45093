"""Marks what a rewriting changed: words that went in the source, words that came in the result."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from gptdesk.text.differences import Change
from gptdesk.ui import theme
from gptdesk.ui.editor.raw_text import from_document, utf16_length

_TINT = 48  # of 255: the words stay readable in both themes
# A simplified book has more marks than a text box draws smoothly; nobody counts them.
_MOST_MARKS = 5000


class ChangeMarks(QObject):
    """Keeps the marks of two text boxes; a box that shows another text has none.

    Words that went are struck out and words that came underlined: colour alone says nothing to
    some.
    """

    def __init__(self, source_view: QTextEdit, result_view: QTextEdit, parent: QObject) -> None:
        super().__init__(parent)
        self._views = source_view, result_view
        self._texts = "", ""
        self._changes: Sequence[Change] = ()
        for view in self._views:
            view.textChanged.connect(self._redraw)
        theme.manager().changed.connect(self._redraw)

    def show(self, source: str, result: str, changes: Sequence[Change]) -> None:
        """Mark the changes that lead from one text to the other; none clears all marks."""
        self._texts = source, result
        self._changes = changes[:_MOST_MARKS]
        self._draw()

    @Slot()
    def _redraw(self) -> None:
        if self._changes:
            self._draw()

    def _draw(self) -> None:
        went, came = QTextCharFormat(), QTextCharFormat()
        went.setFontStrikeOut(True)
        went.setBackground(_tint(theme.colors().red))
        came.setFontUnderline(True)
        came.setBackground(_tint(theme.colors().accent))
        source_view, result_view = self._views
        _mark(source_view, self._texts[0], [change[:2] for change in self._changes], went)
        _mark(result_view, self._texts[1], [change[2:] for change in self._changes], came)


def _mark(
    view: QTextEdit, text: str, spans: Sequence[tuple[int, ...]], look: QTextCharFormat
) -> None:
    shown = from_document(view.document().toRawText()) == text
    marks: list[QTextEdit.ExtraSelection] = []
    done = position = 0
    for start, end in spans if shown else ():
        position += utf16_length(text[done:start])
        done = end
        mark = QTextEdit.ExtraSelection()
        mark.cursor = QTextCursor(view.document())
        mark.cursor.setPosition(position)
        position += utf16_length(text[start:end])
        mark.cursor.setPosition(position, QTextCursor.MoveMode.KeepAnchor)
        mark.format = look
        if start < end:
            marks.append(mark)
    view.setExtraSelections(marks)


def _tint(name: str) -> QColor:
    color = QColor(name)
    color.setAlpha(_TINT)
    return color
