"""Takes the pictures of the readme: `python -m tests.screenshots [FOLDER]`, resources/screenshots by default.

The window is the real one and so is what the bundled model writes; seeds are fixed: but for the speed
in the status bar the pictures change only when the window or the model does. Nothing of the person's
own settings is read or written.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication

from gptdesk import paths
from gptdesk.settings import Settings
from gptdesk.ui import language, theme
from gptdesk.ui.app import make_application
from gptdesk.ui.documents.questions import Answer
from gptdesk.ui.main_window import MainWindow

WIDTH, HEIGHT = 1280, 800
SEED = 56
PATIENCE_SECONDS = 120.0
STORY = (
    "# Low water\n"
    "The tide had gone out further than anyone in the village could remember, and the harbour lay"
    " open like a drawer. Boats leaned on their keels in the mud. Marta walked between them with"
    " her boots in her hand and counted the ropes that led to nothing.\n"
    "“You’ll want to be back before it turns,” the harbour master called, but he did not get up.\n"
    "She went on until the mud gave way to stone, and the stone to a stair that she had never seen."
)
NOTES = (
    "# Eight bits\n"
    "We propose a new method for training large language models with less memory. Our method"
    " stores the states of the optimizer in eight bits and keeps the accuracy of the original"
    " model. Experiments on several tasks show that the memory falls by half while the results"
    " stay the same. The code is open source.\n"
)
ARTICLE = (
    "# 笔记\n返回一个字符串。\n这个函数返回一个列表。\n你可以使用这个命令来创建一个新的文件。\n"
    "如果你想了解更多信息，请参阅文档。\n"
)


class Photographer:
    """One window, set up for each picture in turn."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder, self._home = folder, home
        settings = Settings.load()
        settings.set("ui.theme", "light")
        settings.set("ui.language", "en")
        self._app = make_application(settings)
        self.window = MainWindow(settings)
        self.window.tabs.questions.save_changes = lambda _: Answer.DISCARD
        self.window.resize(WIDTH, HEIGHT)
        self.window.show()

    def until(self, condition: Callable[[], bool]) -> None:
        """Let the window live until something is so."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("the window did not get there in time")
            self._app.processEvents()
            time.sleep(0.005)

    def load_model(self) -> None:
        """Open the bundled model."""
        self.window.models.load(str(paths.default_model_dir()))
        self.until(lambda: not self.window.models.loading)

    def dress(self, colours: str, words: str) -> None:
        """Choose colours and language."""
        theme.manager().apply(colours)
        language.translators().apply(words)

    def open(self, name: str, text: str) -> None:
        """Write a document and open it, caret at its end."""
        path = self._home / name
        path.write_text(text, encoding="utf-8")
        self.window.tabs.open(path)
        self.window.tabs.current.editor.moveCursor(QTextCursor.MoveOperation.End)

    def run(self, mode: str, *, versions: int = 1) -> None:
        """Let the model write in a mode, and write further versions."""
        self.window.panel.set_mode(mode)
        self.window.assistant.generate()
        self.until(lambda: not self.window.assistant.busy)
        for _ in range(versions - 1):
            self.window.assistant.retry()
            self.until(lambda: not self.window.assistant.busy)

    def take(self, name: str) -> None:
        """Save the picture."""
        for _ in range(100):  # what is counted a moment after the last change
            self._app.processEvents()
            time.sleep(0.01)
        path = self._folder / f"{name}.png"
        if not self.window.grab().save(str(path)):
            raise SystemExit(f"{path} cannot be written")
        print(f"{path.name}  {path.stat().st_size // 1000} kB")


def take_all(folder: Path) -> None:
    """Take every picture of the readme."""
    with tempfile.TemporaryDirectory() as home:
        paths.set_profile(Path(home) / "profile")
        shots = Photographer(folder, Path(home))
        shots.load_model()
        shots.open("Eight bits.md", NOTES)
        shots.open("Low water.md", STORY)
        shots.window.panel.restore_options({"continue": {"length": "sentence"}})
        shots.window.panel.sampling.restore("balanced", {"seed": SEED})
        shots.run("continue", versions=2)
        shots.take("continue-light")
        shots.window.tabs.current.editor.discard_provisional()
        shots.window.tabs.activate(shots.window.tabs.views()[0])
        shots.dress("dark", "en")
        shots.run("summarize")
        shots.take("summarize-dark")
        shots.dress("light", "zh_CN")
        shots.open("笔记.md", ARTICLE)
        shots.run("translate")
        shots.take("translate-chinese")
        shots.window.close()
        QApplication.processEvents()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else paths.resources_dir() / "screenshots"
    target.mkdir(parents=True, exist_ok=True)
    take_all(target)
