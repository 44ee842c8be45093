"""What the person is asked when the window closes while a model learns."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget


class QuitAnswer(Enum):
    """What a person decided."""

    STOP = "stop"
    WHEN_DONE = "when done"
    STAY = "stay"


class TrainingQuestions(QObject):
    """Asks through dialogs; override the methods to answer without one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent

    def quit_while_learning(self) -> QuitAnswer:
        """The window is to close and a run is on."""
        box = QMessageBox(
            QMessageBox.Icon.Question,
            "gptdesk",
            self.tr("The model is still learning."),
            parent=self._window,
        )
        box.setObjectName("training.question.quit")
        box.setInformativeText(
            self.tr("If it stops now, what it has learnt is kept, and it can go on another time.")
        )
        roles = QMessageBox.ButtonRole
        answers = {
            box.addButton(self.tr("Stop and Quit"), roles.AcceptRole): QuitAnswer.STOP,
            box.addButton(self.tr("Quit When Done"), roles.AcceptRole): QuitAnswer.WHEN_DONE,
        }
        cancel = box.addButton(self.tr("Cancel"), roles.RejectRole)
        box.setEscapeButton(cancel)
        box.setDefaultButton(next(iter(answers)))
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        return next(
            (answer for pressed, answer in answers.items() if pressed is clicked), QuitAnswer.STAY
        )
