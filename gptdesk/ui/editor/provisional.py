"""Provisional text: shown tinted at an anchor, outside the document until it is accepted.

The document does not hold it, so undo history, saving and copying cannot touch it by accident.
The anchor is a QTextCursor: Qt moves it when text before it is typed, removed, undone or redone.

- Typing at the anchor pushes the provisional text along; typing its own first letters uses them
  up until something else is typed, and taking those letters back returns them.
- Undo and redo act on the document; the provisional text stays at its anchor.
- Accepting is one edit, hence one step of undo.
"""

from __future__ import annotations

import re

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QTextEdit

from gptdesk.ui.editor.page_layout import PageLayout
from gptdesk.ui.editor.raw_text import clean_paste, from_document, to_document, utf16_length
from gptdesk.ui.editor.undo_step import insert_as_one_step

_FIRST_WORD = re.compile(
    r"\s*(?:[\u2e80-\u2fff\u3040-\u9fff\uac00-\ud7af]|[^\s\u2e80-\uffef]+|\S)"
    r"[,.;:!?\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f\u201d\u2019)]*"
)


class Provisional(QObject):
    """The provisional text of one editor."""

    changed = Signal()

    def __init__(self, editor: QTextEdit, layout: PageLayout) -> None:
        super().__init__(editor)
        self._editor = editor
        self._layout = layout
        self._anchor: QTextCursor | None = None
        self._text = ""
        self._used = ""  # letters of it that were typed, in case they are taken back
        self._parted = False  # something else was typed: from then on a like letter is chance
        self._generating = False
        self._accepting = False
        editor.document().contentsChange.connect(self._on_edit)

    @property
    def text(self) -> str:
        """What is shown tinted."""
        return self._text

    @property
    def active(self) -> bool:
        """Whether text is shown or awaited."""
        return self._anchor is not None

    @property
    def generating(self) -> bool:
        """Whether more of it is on its way."""
        return self._generating

    @property
    def position(self) -> int:
        """Document position of the anchor; the caret's when there is none."""
        cursor = self._anchor if self._anchor is not None else self._editor.textCursor()
        return max(cursor.position(), cursor.anchor())

    def begin(self) -> None:
        """Start anew: at the anchor where there is one, else at the caret (selection's end)."""
        anchor = QTextCursor(self._editor.document())
        anchor.setPosition(self.position)
        self._anchor, self._text, self._used, self._parted = anchor, "", "", False
        self._show()

    def place(self, position: int, text: str) -> None:
        """Show `text` at a document position: provisional text restored from the journal."""
        anchor = QTextCursor(self._editor.document())
        anchor.setPosition(max(0, min(position, self._editor.document().characterCount() - 1)))
        self._anchor, self._text, self._used, self._parted = anchor, text, "", False
        self._show()

    def set_generating(self, generating: bool) -> None:
        """Note whether more is on its way: an accent bar says so at the end of the text."""
        if generating != self._generating:
            self._generating = generating
            if self._anchor is not None:
                self._show()

    def append(self, text: str) -> None:
        """Add to the end; ignored after acceptance or discarding: what comes late is not wanted."""
        if self._anchor is not None and text:
            self._text += clean_paste(text)
            self._show()

    def replace(self, text: str) -> None:
        """Show another alternative in its place."""
        if self._anchor is None:
            self.begin()
        self._text = clean_paste(text).removeprefix(self._used)
        self._show()

    def accept(self) -> str:
        """Move the text into the document as one step of undo; return it."""
        text = self._text
        if text:
            self._insert(text)
        self._end()
        return text

    def accept_word(self) -> str:
        """Move its first word into the document; return it."""
        found = _FIRST_WORD.match(self._text)
        if found is None or found.end() == len(self._text):
            return self.accept()
        self._text = self._text[found.end() :]
        self._insert(found[0])
        self._show()
        return found[0]

    def discard(self) -> str:
        """Forget the text; return it."""
        text = self._text
        self._end()
        return text

    def _insert(self, text: str) -> None:
        if self._anchor is None:
            return
        self._accepting = True
        insert_as_one_step(self._anchor, to_document(text))
        self._accepting = False
        self._used, self._parted = "", False

    def _end(self) -> None:
        if self._anchor is None:
            return
        self._anchor, self._text, self._used = None, "", ""
        self._generating = False
        self._layout.hide_gap()
        self.changed.emit()

    def _show(self) -> None:
        if self._anchor is not None:
            self._layout.show_gap(self._anchor, self._text, bar=self._generating)
            self.changed.emit()

    def _on_edit(self, position: int, removed: int, added: int) -> None:
        """Use up letters typed over the text; give them back when they are removed again."""
        anchor = self._anchor
        if anchor is None or self._accepting or not (self._text or self._used):
            return
        if not removed and position + added == anchor.position():
            self._use(self._read(position, anchor.position()))
        elif not added and position == anchor.position() and removed <= utf16_length(self._used):
            self._give_back(removed)
        elif position <= anchor.position():
            self._used = ""

    def _use(self, typed: str) -> None:
        if self._parted or not self._text.startswith(typed) or typed == self._text:
            self._used, self._parted = "", True
            return
        self._used += typed
        self._reprepare(self._text[len(typed) :])

    def _give_back(self, units: int) -> None:
        count = len(self._used)
        while count and utf16_length(self._used[count:]) < units:
            count -= 1
        returned, self._used = self._used[count:], self._used[:count]
        self._reprepare(returned + self._text)

    def _reprepare(self, text: str) -> None:
        """Change the text in the middle of an edit, before Qt asks for the new layout."""
        self._text = text
        if self._anchor is not None:
            self._layout.prepare_gap(self._anchor, text, bar=self._generating)

    def _read(self, start: int, end: int) -> str:
        cursor = QTextCursor(self._editor.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return from_document(cursor.selectedText())
