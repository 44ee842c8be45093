"""A person at the keyboard: starts the real app in this process and works through a script.

A script is a generator. It presses keys and buttons, and yields conditions: the robot goes on when
one holds, and gives up after a while with a picture of the window beside its report.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from gptdesk.settings import Settings
from gptdesk.ui.app import main, make_application
from gptdesk.ui.documents.questions import Answer
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.main_window import MainWindow

Condition = Callable[[], object]
Script = Callable[["Robot"], Iterator[Condition]]
W = TypeVar("W", bound=QWidget)

PATIENCE_SECONDS = 30
MOST_SECONDS = 240
POLL_MS = 10


class Robot(QObject):
    """Works through one script.

    Attributes:
        folder: where its report and pictures go.
        seen: what the script noted, for the report.
        failure: why it gave up, "" while it has not.
    """

    def __init__(self, script: Script, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.seen: dict[str, object] = {}
        self.failure = ""
        self._working = False
        self._steps = script(self)
        self._condition: Condition = lambda: self.window is not None and self.window.isVisible()
        self._deadline = time.monotonic() + PATIENCE_SECONDS
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._go_on)
        self._timer.start()

    @property
    def window(self) -> MainWindow | None:
        """The app's window, once there is one."""
        tops = QApplication.topLevelWidgets()
        return next((widget for widget in tops if isinstance(widget, MainWindow)), None)

    @property
    def editor(self) -> TextEdit:
        """The text in front."""
        return self.window.tabs.current.editor

    @property
    def text(self) -> str:
        """The document in front, without provisional text."""
        return self.editor.plain_text()

    @property
    def busy(self) -> bool:
        """Whether Stop can be pressed, which is how a person sees that a run goes on."""
        return self.find("assistant.stop").isEnabled()

    def find(self, name: str, kind: type[W] = QWidget) -> W:
        """A visible widget by its object name."""
        for top in QApplication.topLevelWidgets():
            for widget in (top, *top.findChildren(kind, name)):
                if isinstance(widget, kind) and widget.objectName() == name and widget.isVisible():
                    return widget
        raise LookupError(f"nothing visible is called {name}")

    def shows(self, name: str) -> bool:
        """Whether a widget of this name can be seen."""
        try:
            return bool(self.find(name))
        except LookupError:
            return False

    def can(self, name: str) -> Condition:
        """The condition that a button can be pressed."""
        return lambda: self.shows(name) and self.find(name).isEnabled()

    def click(self, name: str) -> None:
        """Press a button with the mouse."""
        button = self.find(name, QAbstractButton)
        if not button.isEnabled():
            raise LookupError(f"{name} is disabled")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def choose(self, action: str) -> None:
        """Choose an entry of a menu."""
        entry = self.window.findChild(QAction, action)
        if entry is None or not entry.isEnabled():
            raise LookupError(f"the menu entry {action} cannot be chosen")
        entry.trigger()

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier | None = None) -> None:
        """Press a key in the editor, a click into which a person would have made."""
        self.window.activateWindow()
        # A dialog that has just closed gives its focus back only in a later turn of the event loop.
        QTest.qWaitForWindowActive(self.window)
        self.editor.setFocus()
        QTest.keyClick(self.editor, key, modifiers or Qt.KeyboardModifier.NoModifier)

    def type(self, text: str) -> None:
        """Type into the editor."""
        QTest.keyClicks(self.editor, text)

    def paste_into(self, name: str, text: str) -> None:
        """Paste from the clipboard into a widget."""
        QApplication.clipboard().setText(text)
        QTest.keyClick(self.find(name), Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    def photograph(self, name: str, widget: str = "window") -> None:
        """Keep a picture of the window, or of a dialog."""
        if self.shows(widget):
            self.find(widget).grab().save(str(self.folder / f"{name}.png"))

    @Slot()
    def _go_on(self) -> None:
        if self._working:  # a step that waits runs an event loop of its own
            return
        self._working = True
        try:
            if self._condition():
                self._condition = next(self._steps)
                self._deadline = time.monotonic() + PATIENCE_SECONDS
            elif time.monotonic() > self._deadline:
                raise TimeoutError("waited in vain")
        except StopIteration:
            self._end()
        except Exception:  # noqa: BLE001 - whatever it is, it is the report
            self.failure = f"{self._place()}\n{traceback.format_exc()}"
            self._end()
        finally:
            self._working = False

    def _place(self) -> str:
        """Where in the script the robot is."""
        step = self._steps
        while getattr(step, "gi_yieldfrom", None) is not None:
            step = step.gi_yieldfrom
        frame = step.gi_frame
        return f"in {frame.f_code.co_name}, line {frame.f_lineno}" if frame is not None else ""

    def _end(self) -> None:
        self._timer.stop()
        self.photograph("end" if not self.failure else "failure")
        report = {"failure": self.failure, "seen": self.seen}
        text = json.dumps(report, ensure_ascii=False, indent=1)
        (self.folder / "report.json").write_text(text, encoding="utf-8")
        if self.failure:
            self.window.tabs.questions.save_changes = lambda _: Answer.DISCARD
            self.window.close()


def run(script: Script, folder: Path, arguments: list[str]) -> int:
    """Start the app with these arguments, work through the script; the app's exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    # A dialog nobody answers would hold the script for ever.
    faulthandler.dump_traceback_later(MOST_SECONDS, exit=True)
    make_application(Settings.load())
    robot = Robot(script, folder)
    code = main(arguments)
    faulthandler.cancel_dump_traceback_later()
    robot.deleteLater()
    return code


if __name__ == "__main__":
    from tests.acceptance import sessions

    sys.exit(run(getattr(sessions, sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
