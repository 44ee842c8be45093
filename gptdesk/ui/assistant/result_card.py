"""The card that a summary or translation is written on, with what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QFrame, QTextEdit, QVBoxLayout, QWidget

from gptdesk.ui.widgets.flow_layout import FlowLayout
from gptdesk.ui.widgets.parts import button, serif
from gptdesk.ui.widgets.translated import Translated


class ResultCard(Translated, QFrame):
    """A result as it comes; it scrolls by itself as long as its end is in sight."""

    insert_clicked = Signal()
    replace_clicked = Signal()
    copy_clicked = Signal()
    retry_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.text_view = QTextEdit()
        self.text_view.setObjectName("assistant.result")
        self.text_view.setProperty("role", "bare")
        self.text_view.setReadOnly(True)
        self.text_view.setTabChangesFocus(True)
        self.text_view.setFont(serif(14))
        self.text_view.setMinimumHeight(96)
        self.text_view.document().setDocumentMargin(0)
        self._buttons = {
            "insert": (button("link", "assistant.insert"), self.insert_clicked),
            "replace": (button("link", "assistant.replace"), self.replace_clicked),
            "copy": (button("link", "assistant.copy"), self.copy_clicked),
            "retry": (button("link", "assistant.result_retry"), self.retry_clicked),
        }
        row = QWidget()
        flow = FlowLayout(row, spacing=8)
        for widget, signal in self._buttons.values():
            widget.clicked.connect(signal)
            flow.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 8)
        layout.setSpacing(6)
        layout.addWidget(self.text_view, 1)
        layout.addWidget(row)
        self._placeholder = ""
        self.retranslate()
        self.set_actions(text=False, replace=False, busy=False)

    def retranslate(self) -> None:
        """Label the actions in the language of the window."""
        self.text_view.setAccessibleName(self.tr("Result"))
        texts = {
            "insert": (self.tr("Insert"), self.tr("Insert at the cursor")),
            "replace": (
                self.tr("Replace"),
                self.tr("Put it in place of the source, once it is complete"),
            ),
            "copy": (self.tr("Copy"), self.tr("Copy to the clipboard")),
            "retry": (self.tr("Retry"), self.tr("Write another version (Ctrl+R)")),
        }
        for key, (text, help_text) in texts.items():
            widget = self._buttons[key][0]
            widget.setText(text)
            widget.setToolTip(help_text)

    def set_text(self, text: str) -> None:
        """Show a whole result."""
        self.text_view.setPlainText(text)

    def append(self, text: str) -> None:
        """Add what has just come."""
        bar = self.text_view.verticalScrollBar()
        at_end = bar.value() >= bar.maximum() - 4
        cursor = QTextCursor(self.text_view.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        if at_end:
            bar.setValue(bar.maximum())

    def set_placeholder(self, text: str) -> None:
        """What the empty card says."""
        self.text_view.setPlaceholderText(text)

    def set_actions(self, *, text: bool, replace: bool, busy: bool) -> None:
        """Which actions make sense: a result is there, it may replace its source, a run goes on."""
        allowed = {
            "insert": text and not busy,
            "replace": text and replace and not busy,
            "copy": text,
            "retry": text and not busy,
        }
        for key, (widget, _) in self._buttons.items():
            widget.setEnabled(allowed[key])
