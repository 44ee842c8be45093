"""The robot of the kill test: runs the real app, types and generates without end, logs every state of the texts.

Each line of the log is JSON: "time" on the system's monotonic clock, "texts" (of the file and of the untitled
document), "generating". The first line is what the start brought back.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gptdesk.settings import Settings
from gptdesk.ui.app import main as app
from gptdesk.ui.app import make_application
from gptdesk.ui.main_window import MainWindow

TICK_MS = 25


class Scribe(QObject):
    """Presses a key at every tick, and now and then does something else."""

    def __init__(self, log: Path, seed: int) -> None:
        super().__init__()
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._random = random.Random(seed)
        self._seed = seed
        self._pressed = 0
        self._window: MainWindow | None = None
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        if self._window is None:
            self._begin()
        else:
            self._act(self._window)
            self._note(self._window)

    def _begin(self) -> None:
        tops = QApplication.topLevelWidgets()
        window = next((top for top in tops if isinstance(top, MainWindow)), None)
        if window is None or not window.models.loading:  # the documents come before the model
            return
        window.panel.sampling.restore("custom", {"max_new_tokens": 4000, "seed": self._seed})
        window.panel.forms["continue"].set_values({"length": "page"})
        self._window = window
        self._note(window)
        if all(view.path is not None for view in window.tabs.views()):
            window.tabs.new()

    def _act(self, window: MainWindow) -> None:
        editor = window.tabs.current.editor
        chance = self._random.random()
        if chance < 0.02:
            window.tabs.select_next()
        elif chance < 0.04:
            ends = [QTextCursor.MoveOperation.Start, QTextCursor.MoveOperation.End]
            editor.moveCursor(self._random.choice(ends))
        elif chance < 0.05 and window.tabs.current.path is not None:
            window.tabs.save()
        elif chance < 0.06:
            editor.undo()
        elif not window.assistant.busy and editor.has_provisional:
            self._settle(window)
        elif not window.assistant.busy and not window.models.loading:
            window.assistant.generate()
        else:
            QTest.keyClicks(editor, self._next_key())

    def _settle(self, window: MainWindow) -> None:
        editor = window.tabs.current.editor
        if self._random.random() < 0.3:
            window.assistant.accept()
            editor.undo()  # a page of accepted text each time would soon be all there is
        else:
            editor.discard_provisional()

    def _next_key(self) -> str:
        self._pressed += 1
        word, place = divmod(self._pressed, 8)
        return f"w{self._seed:02}x{word:03} "[place]

    def _note(self, window: MainWindow) -> None:
        texts = {"file": "", "untitled": ""}
        for view in window.tabs.views():
            texts["file" if view.path else "untitled"] += view.editor.plain_text()
        state = {"time": time.monotonic(), "texts": texts, "generating": window.assistant.busy}
        os.write(self._log, json.dumps(state).encode() + b"\n")


def main(log: str, seed: str, model: str, note: str) -> int:
    """Start the app on a model and a file, with the robot in it."""
    make_application(Settings.load())
    scribe = Scribe(Path(log), int(seed))
    scribe.setObjectName("scribe")
    return app(["--model", model, note])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
