"""Closing the window while a model learns: asked, waited for, nothing lost, nothing left running."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from gptdesk.training.events import TrainingFailed
from gptdesk.ui.training.questions import QuitAnswer
from tests.ui.training.stand_in import HELD_AT
from tests.ui.training.teacher import Teacher


def answer(teacher: Teacher, decided: QuitAnswer) -> None:
    teacher.desk.questions.quit_while_learning = lambda: decided


def test_the_window_stays_when_the_person_thinks_better_of_it(
    teacher: Teacher, letters: Path
) -> None:
    teacher.start("hold", letters)
    answer(teacher, QuitAnswer.STAY)
    teacher.driver.window.close()
    assert teacher.driver.window.isVisible()
    assert teacher.controller.running
    assert not teacher.controller.stopping


def test_it_closes_once_what_was_learnt_is_saved(teacher: Teacher, letters: Path) -> None:
    teacher.start("hold", letters)
    teacher.until_step(HELD_AT)
    answer(teacher, QuitAnswer.STOP)
    teacher.driver.window.close()
    assert teacher.driver.window.isVisible()
    teacher.until(lambda: not teacher.driver.window.isVisible())
    assert teacher.ends[0].reason == "cancelled"
    assert teacher.driver.settings.get("training.unfinished")["out"].endswith("my-style")
    assert teacher.desk.dialog is None


def test_it_closes_when_the_run_is_done(teacher: Teacher, letters: Path) -> None:
    teacher.start("go", letters)
    answer(teacher, QuitAnswer.WHEN_DONE)
    teacher.driver.window.close()
    teacher.driver.window.close()  # asks no second time
    assert teacher.driver.window.isVisible()
    flag = Path(f"{teacher.controller.request.out}.go")
    flag.parent.mkdir(parents=True, exist_ok=True)
    flag.touch()
    teacher.until(lambda: not teacher.driver.window.isVisible())
    assert teacher.ends[0].reason == "done"


def test_it_stays_to_tell_of_a_failure(teacher: Teacher, letters: Path) -> None:
    teacher.start("hold", letters)
    teacher.until_step(HELD_AT)
    answer(teacher, QuitAnswer.WHEN_DONE)
    teacher.driver.window.close()
    os.kill(teacher.controller._run._remote._child.pid, signal.SIGKILL)
    assert isinstance(teacher.finish(), TrainingFailed)
    QApplication.processEvents()
    assert teacher.driver.window.isVisible()
    assert "ended unexpectedly" in teacher.shown("problem")


def test_the_question_has_three_answers(teacher: Teacher, letters: Path) -> None:
    asked: list[list[str]] = []

    def press_cancel() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        asked.append([button.text() for button in box.buttons()])
        box.escapeButton().click()

    QTimer.singleShot(0, press_cancel)
    assert teacher.desk.questions.quit_while_learning() == QuitAnswer.STAY
    assert set(asked[0]) == {"Stop and Quit", "Quit When Done", "Cancel"}
