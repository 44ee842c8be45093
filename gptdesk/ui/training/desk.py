"""Where teaching meets the window: its dialog, its place in the status bar, and what quitting means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from gptdesk.training.events import TrainingFailed, TrainingFinished
from gptdesk.ui.messages import Message
from gptdesk.ui.training.controller import TrainingController, failure
from gptdesk.ui.training.dialog import TeachingDialog
from gptdesk.ui.training.questions import QuitAnswer, TrainingQuestions
from gptdesk.ui.training.status_entry import TrainingEntry
from gptdesk.ui.training.words import ending_hint, ending_title

if TYPE_CHECKING:
    from gptdesk.ui.main_window import MainWindow


class TeachingDesk(QObject):
    """Keeps a run in sight while its dialog is closed.

    Attributes:
        controller: the runs.
        questions: what is asked on quitting.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.controller = TrainingController(window.models, window.settings, self)
        self.questions = TrainingQuestions(window)
        self._quitting = QuitAnswer.STAY
        self._entry = TrainingEntry()
        window.status.add_entry(self._entry)
        self._entry.clicked.connect(self.show_dialog)
        self.controller.changed.connect(self._show_state)
        self.controller.ended.connect(self._run_ended)

    @property
    def dialog(self) -> TeachingDialog | None:
        """The dialog, while it is open."""
        found = self._window.findChildren(TeachingDialog)
        return next((dialog for dialog in found if dialog.isVisible()), None)

    @Slot()
    def show_dialog(self) -> None:
        """Open the dialog, or bring it to the front."""
        dialog = self.dialog
        if dialog is None:
            window = self._window
            dialog = TeachingDialog(self.controller, window.models, window.tabs.open_paths, window)
            dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def may_close(self) -> bool:
        """Whether the window may close now; asks while a run is on, and closes it later if so told."""
        if not self.controller.running:
            return True
        if self._quitting != QuitAnswer.STAY:
            return False  # it is about to
        answer = self.questions.quit_while_learning()
        if not self.controller.running:  # it ended while the question was on the screen
            return answer != QuitAnswer.STAY
        self._quitting = answer
        if answer == QuitAnswer.STOP:
            self.controller.stop()
        return False

    def shut_down(self) -> None:
        """The window closes for good."""
        self.controller.shut_down()
        if self.dialog is not None:
            self.dialog.close()

    @Slot()
    def _show_state(self) -> None:
        controller = self.controller
        self._entry.setVisible(controller.running)
        self._entry.show_state(controller.progress, stopping=controller.stopping)

    @Slot()
    def _run_ended(self) -> None:
        end, quitting = self.controller.progress.end, self._quitting
        self._quitting = QuitAnswer.STAY
        failed = isinstance(end, TrainingFailed)
        if quitting == QuitAnswer.STOP or (quitting == QuitAnswer.WHEN_DONE and not failed):
            # Not before everybody else has heard of the end.
            QTimer.singleShot(0, self._window, self._window.close)
        elif self.dialog is None:
            self._tell(end)

    def _tell(self, end: TrainingFinished | TrainingFailed | None) -> None:
        if isinstance(end, TrainingFailed):
            self._window.messages.error(failure(end))
        elif end is not None:
            message = Message(
                ending_title(end),
                ending_hint(end),
                is_error=end.reason == "diverged",
                action_label=self.tr("Show"),
                action=self.show_dialog,
            )
            self._window.messages.show(message)
