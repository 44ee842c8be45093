"""The one place where problems are told: what happened, what to do, details to copy."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
)

from gptdesk.errors import GptDeskError
from gptdesk.ui.error_texts import told_error
from gptdesk.ui.widgets.parts import button, label, set_state
from gptdesk.ui.widgets.translated import Translated

_log = logging.getLogger(__name__)
_HISTORY = 100


@dataclass(frozen=True)
class Message:
    """One message to the person.

    Attributes:
        title: what happened.
        hint: what to do about it.
        details: technical text, shown on request.
        is_error: a failure, as opposed to a piece of news.
        action_label, action: a button that does what the hint says, or "" and None.
    """

    title: str
    hint: str = ""
    details: str = ""
    is_error: bool = True
    action_label: str = ""
    action: Callable[[], None] | None = None

    def as_text(self) -> str:
        """Everything, for the clipboard."""
        return "\n".join(part for part in (self.title, self.hint, self.details) if part)


class Messages(QObject):
    """Collects messages, logs them and hands them to whoever shows them.

    Attributes:
        history: the latest messages, oldest first.
    """

    shown = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.history: list[Message] = []

    def error(self, error: GptDeskError) -> None:
        """Tell of a failure."""
        title, hint = told_error(error)
        self.show(Message(title, hint, error.details))

    def show(self, message: Message) -> None:
        """Tell anything."""
        level = logging.WARNING if message.is_error else logging.INFO
        _log.log(level, "%s %s", message.title, message.details)
        self.history = [*self.history[-_HISTORY + 1 :], message]
        self.shown.emit(message)


class MessageBar(Translated, QFrame):
    """Shows the latest message at the foot of the window, where it pushes no text around."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("message")
        self.setProperty("role", "message")
        self._message = Message("")
        self._title = label("name", name="message.title", wrap=True)
        self._hint = label("muted", name="message.hint", wrap=True)
        self._action = button("link", "message.action")
        self._details_button = button("link", "message.show_details")
        self._details_button.setCheckable(True)
        self._copy = button("link", "message.copy")
        self._close = button("link", "message.close")
        self._close.setText("✕")
        self._details = QPlainTextEdit()
        self._details.setObjectName("message.details")
        self._details.setProperty("role", "field")
        self._details.setReadOnly(True)
        self._details.setFixedHeight(120)
        self._arrange()
        self._action.clicked.connect(self._do_action)
        self._details_button.toggled.connect(self._details.setVisible)
        self._copy.clicked.connect(self._copy_text)
        self._close.clicked.connect(self.hide)
        self.retranslate()
        self.hide()

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._hint)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addLayout(words, 1)
        for widget in (self._action, self._details_button, self._copy, self._close):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 8, 12, 8)
        layout.setSpacing(6)
        layout.addLayout(row)
        layout.addWidget(self._details)

    def retranslate(self) -> None:
        """Label the buttons in the language of the window."""
        self._details_button.setText(self.tr("Details"))
        self._copy.setText(self.tr("Copy"))
        self._copy.setToolTip(self.tr("Copy the message for a bug report"))
        self._close.setAccessibleName(self.tr("Dismiss"))
        self._close.setToolTip(self.tr("Dismiss"))

    def show_message(self, message: Message) -> None:
        """Show a message in place of the one before."""
        self._message = message
        self._title.setProperty("role", "problem" if message.is_error else "name")
        set_state(self._title, "error" if message.is_error else "news")
        self._title.setText(message.title)
        self._hint.setText(message.hint)
        self._hint.setVisible(bool(message.hint))
        self._action.setText(message.action_label)
        self._action.setVisible(message.action is not None)
        self._details.setPlainText(message.details)
        self._details_button.setChecked(False)
        self._details_button.setVisible(bool(message.details))
        self._details.hide()
        self._copy.setVisible(message.is_error)
        self.setAccessibleName(message.title)
        self.show()

    def dismiss_news(self) -> None:
        """Take back what is no failure: the person has gone on."""
        if not self._message.is_error:
            self.hide()

    def _copy_text(self) -> None:
        QApplication.clipboard().setText(self._message.as_text())

    def _do_action(self) -> None:
        action = self._message.action
        self.hide()
        if action is not None:
            action()
