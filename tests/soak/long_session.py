"""The long session of the memory test: a real window that generates, stops, accepts and changes models.

Prints a line of JSON after each stretch with one model: "engine", "generations" so far, "rss" in bytes.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable

import psutil
from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from gptdesk.settings import Settings
from gptdesk.ui.app import make_application
from gptdesk.ui.documents.questions import Answer
from gptdesk.ui.main_window import MainWindow

STRETCH = 10
TEXT = "The tide had gone out further than anyone in the village could remember. " * 12
PATIENCE_SECONDS = 60


class Session:
    """One window, its writer, and how much memory they take."""

    def __init__(self) -> None:
        settings = Settings.load()
        self._app: QApplication = make_application(settings)
        self._random = random.Random(0)
        self.window = MainWindow(settings)
        self.window.tabs.questions.save_changes = lambda _: Answer.DISCARD
        self.window.show()

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the window live until something is so."""
        loop, timer = QEventLoop(), QTimer()  # a real loop: without one Qt deletes nothing later
        deadline = time.monotonic() + PATIENCE_SECONDS
        timer.timeout.connect(
            lambda: loop.quit() if condition() or time.monotonic() > deadline else None
        )
        timer.start(2)
        loop.exec()
        if not condition():
            raise TimeoutError("the window waits in vain")

    def change_model(self, path: str) -> None:
        """Load a model in place of the one in use."""
        before = self.window.models.current
        self.window.models.load(path)
        self.until(lambda: not self.window.models.loading)
        if self.window.models.current is before:
            raise RuntimeError(f"{path} was not loaded")

    def generate(self, number: int) -> None:
        """One run in one of the modes; every third is stopped on the way."""
        window = self.window
        window.panel.set_mode(("continue", "summarize", "continue", "translate")[number % 4])
        window.panel.sampling.restore("custom", {"max_new_tokens": 60, "seed": number})
        window.assistant.generate()
        if number % 3 == 0:
            end = time.monotonic() + self._random.uniform(0.0, 0.2)
            self.until(lambda: time.monotonic() > end)
            window.assistant.stop()
        self.until(lambda: not window.assistant.busy)
        if number % 2:
            window.assistant.accept()
        else:
            window.tabs.current.editor.discard_provisional()

    def change_document(self) -> None:
        """Close the document, which takes its undo history along, and begin another."""
        self.window.tabs.close_current()
        self.window.tabs.current.editor.insertPlainText(TEXT)

    def memory(self) -> int:
        """Bytes of this process that are in memory, after what is over is cleared away."""
        end = time.monotonic() + 0.3
        self.until(lambda: time.monotonic() > end)
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    def close(self) -> None:
        """Close the window."""
        self.window.close()


def main(generations: str, *models: str) -> None:
    """Generate so many times, changing to the next model after each stretch."""
    session = Session()
    for number in range(int(generations)):
        if number % STRETCH == 0:
            session.change_model(models[number // STRETCH % len(models)])
            session.change_document()
        session.generate(number)
        if number % STRETCH == STRETCH - 1:
            engine = session.window.models.current.engine.name
            line = {"engine": engine, "generations": number + 1, "rss": session.memory()}
            print(json.dumps(line), flush=True)
    session.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
