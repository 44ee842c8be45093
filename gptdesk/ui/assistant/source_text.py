"""The text a summary or translation starts from: pasted by the person, or shown as it stands."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Signal
from PySide6.QtWidgets import QTextEdit

from gptdesk.ui.widgets.parts import serif
from gptdesk.ui.widgets.translated import Translated


class SourceText(Translated, QTextEdit):
    """Editable while the source is pasted text; otherwise it mirrors the document or selection.

    The pasted text is kept while another source is shown.
    """

    pasted_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("assistant.source")
        self.setProperty("role", "source")
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setFont(serif(14))
        self._pasted = ""
        self._mirrors = False
        self.textChanged.connect(self._text_changed)
        self.retranslate()

    def retranslate(self) -> None:
        """Say what the box is for."""
        self.setAccessibleName(self.tr("Source text"))
        self.setPlaceholderText(self.tr("Paste or type the text here"))

    @property
    def pasted_text(self) -> str:
        """What the person put in."""
        return self._pasted

    @pasted_text.setter
    def pasted_text(self, text: str) -> None:
        self._pasted = text
        if not self._mirrors:
            self.setPlainText(text)

    def show_pasted(self) -> None:
        """Let the person edit their own text."""
        if self._mirrors:
            self._mirrors = False
            self._set_read_only(False)
            self.setPlainText(self._pasted)

    def mirror(self, text: str) -> None:
        """Show a text that is edited elsewhere."""
        self._mirrors = True
        self._set_read_only(True)
        if self.toPlainText() != text:
            self.setPlainText(text)

    def _set_read_only(self, read_only: bool) -> None:
        self.setReadOnly(read_only)
        self.style().unpolish(self)
        self.style().polish(self)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Qt: paste as plain text."""
        self.insertPlainText(source.text())

    def _text_changed(self) -> None:
        if not self._mirrors:
            self._pasted = self.toPlainText()
            self.pasted_changed.emit()
