"""Widgets that say the same in another language when the person chooses one."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent

OPTIONS_CONTEXT = "options"


def QT_TRANSLATE_NOOP(_context: str, text: str) -> str:
    """Mark a text for translation where it is declared; it is looked up where it is shown.

    Qt's own does the same and is typed as returning any object.
    """
    return text


class Translated:
    """Mixed into a widget, before its Qt base: calls `retranslate` when the language changes."""

    def retranslate(self) -> None:
        """Set every text again."""

    def changeEvent(self, event: QEvent) -> None:
        """Qt: hear of a new language."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)  # type: ignore[misc]


def translate_option(text: str) -> str:
    """A label or help text that a task declares in English, in the language of the window."""
    return QCoreApplication.translate(OPTIONS_CONTEXT, text)
