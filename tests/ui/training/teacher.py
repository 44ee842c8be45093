"""Drives Model > Teach the Model Your Style… as a writer does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QLabel, QPushButton

from gptdesk.training.events import TrainingFailed, TrainingFinished
from gptdesk.ui.training.controller import TrainingController
from gptdesk.ui.training.dialog import TeachingDialog
from gptdesk.ui.training.sources import SourceList
from tests.ui.window_driver import Driver

STAND_IN = Path(__file__).with_name("stand_in.py")


class Teacher:
    """One window with a model, and the dialog."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.desk = driver.window.teaching
        self.ends: list[TrainingFinished | TrainingFailed | None] = []
        self.controller.ended.connect(self._note_end)

    @property
    def controller(self) -> TrainingController:
        return self.desk.controller

    def play(self, mode: str) -> None:
        """Let the stand-in run in place of `gptdesk`."""
        self.controller.command = (sys.executable, str(STAND_IN), mode)

    def open(self) -> TeachingDialog:
        self.driver.window.actions_["model.teach"].trigger()
        return self.dialog

    @property
    def dialog(self) -> TeachingDialog:
        assert self.desk.dialog is not None
        return self.desk.dialog

    def add(self, *paths: Path) -> None:
        sources = self.dialog.findChild(SourceList)
        assert sources is not None
        sources.add(map(str, paths))

    def button(self, name: str) -> QPushButton:
        found = self.dialog.findChild(QPushButton, f"training.{name}")
        assert found is not None, name
        return found

    def click(self, name: str) -> None:
        button = self.button(name)
        assert button.isVisible(), name
        assert button.isEnabled(), name
        button.click()

    def shown(self, name: str) -> str:
        found = self.dialog.findChild(QLabel, f"training.{name}")
        assert found is not None, name
        return found.text() if found.isVisible() else ""

    def visible(self, *names: str) -> dict[str, bool]:
        return {name: self.button(name).isVisible() for name in names}

    def start(self, mode: str, *texts: Path) -> None:
        """Give an order and begin."""
        self.play(mode)
        self.open()
        self.add(*texts)
        self.click("start")

    def until(self, condition: Callable[[], bool]) -> None:
        self.driver.until(condition)

    def until_step(self, step: int) -> None:
        progress = self.controller.progress
        self.until(lambda: progress.step is not None and progress.step.step >= step)

    def finish(self) -> TrainingFinished | TrainingFailed | None:
        """Wait for the end; there is exactly one."""
        self.until(lambda: bool(self.ends) and not self.controller.running)
        assert len(self.ends) == 1
        return self.ends.pop()

    def _note_end(self) -> None:
        self.ends.append(self.controller.progress.end)
