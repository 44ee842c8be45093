"""Drives the whole window as a writer does, for tests: clicks, keys, and waits for what is seen."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gptdesk.settings import Settings
from gptdesk.ui.documents.questions import Answer
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.main_window import MainWindow

W = TypeVar("W", bound=QWidget)
PATIENCE_MS = 60_000


class Driver:
    """One window and its writer."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.settings = Settings.load()
        self.window = MainWindow(self.settings)
        self.window.tabs.questions.save_changes = lambda _: Answer.DISCARD
        self.window.show()

    def close(self) -> None:
        """Close the window, throwing away what is unsaved."""
        self.window.close()
        self.window.deleteLater()

    @property
    def editor(self) -> TextEdit:
        """The editor in front."""
        return self.window.tabs.current.editor

    def find(self, name: str, kind: type[W] = QWidget) -> W:
        """A widget by its object name."""
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def click(self, name: str) -> None:
        """Press a button that can be pressed."""
        button = self.find(name, QPushButton)
        assert button.isEnabled(), f"{name} is disabled"
        assert button.isVisible(), f"{name} is hidden"
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def key(
        self,
        key: Qt.Key,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
    ) -> None:
        """Press a key in the editor."""
        QTest.keyClick(self.editor, key, modifiers)

    def type(self, text: str) -> None:
        """Type into the editor."""
        QTest.keyClicks(self.editor, text)

    def label(self, name: str) -> str:
        """Text of a label."""
        return self.find(name, QLabel).text()

    def until(self, condition: object) -> None:
        """Go on when something is so."""
        self.qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    def load(self, path: Path) -> None:
        """Load a model and wait for it."""
        self.window.models.load(str(path))
        self.until(lambda: not self.window.models.loading)

    def idle(self) -> None:
        """Wait for the run to end."""
        self.until(lambda: not self.window.assistant.busy)

    def generate(self) -> None:
        """Press Generate and wait for the run to end."""
        self.click("assistant.generate")
        self.idle()

    @property
    def said(self) -> list[str]:
        """Titles of the messages so far."""
        return [message.title for message in self.window.messages.history]
