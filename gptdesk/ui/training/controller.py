"""Teaching as the window sees it: one run at a time, in the background, seen through until its end."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices

from gptdesk.errors import TrainingError
from gptdesk.settings import Settings
from gptdesk.training.events import TrainingEvent, TrainingFailed, TrainingFinished
from gptdesk.training.remote import RemoteTraining
from gptdesk.ui.models.controller import ModelController
from gptdesk.ui.training.progress import TeachingProgress
from gptdesk.ui.training.request import LORA, TeachingRequest, threads_for_training
from gptdesk.ui.training.run import TrainingRun

_UNFINISHED = "training.unfinished"


class TrainingController(QObject):
    """Starts, follows and stops runs, and puts what they bring to use.

    Signals:
        changed(): `progress`, `running` or `stopping` is another.
        ended(): the run is over; `progress.end` tells how. Comes exactly once a run.

    Attributes:
        command: starts `gptdesk` in the child process.
        request: the order of the run that is on, or was last.
        progress: what that run has told.
    """

    changed = Signal()
    ended = Signal()

    def __init__(
        self, models: ModelController, settings: Settings, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._models, self._settings = models, settings
        self._run: TrainingRun | None = None
        self.command: tuple[str, ...] = (sys.executable, "-m", "gptdesk")
        self.request: TeachingRequest | None = None
        self.progress = TeachingProgress()

    @property
    def running(self) -> bool:
        """Whether a run is on."""
        return self._run is not None

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop and is about to."""
        return self._run is not None and self._run.stopping

    @property
    def unfinished(self) -> TeachingRequest | None:
        """The order that was stopped and can go on: its model and documents are still there."""
        request = TeachingRequest.from_setting(self._settings.get(_UNFINISHED))
        if request is None or not all(map(_exists, (request.model, *request.sources))):
            return None
        return request

    @property
    def result(self) -> str:
        """Folder of the finished adapter or model; "" while there is none."""
        end = self.progress.end
        if self.request is None or not isinstance(end, TrainingFinished) or not end.path:
            return ""  # the path of a run that was stopped early is that of a checkpoint
        return end.path if Path(end.path) == Path(self.request.out) else ""

    def start(self, request: TeachingRequest) -> None:
        """Begin a run, or go on with one that was stopped; not while another one is on."""
        if self._run is not None:
            return
        self.request, self.progress = request, TeachingProgress()
        # From here on: if the app is killed, the next start can go on.
        self._remember(request)
        remote = RemoteTraining(
            request.arguments(), threads=threads_for_training(), command=self.command
        )
        self._run = TrainingRun(remote, self)
        self._run.told.connect(self._told)
        self._run.ended.connect(self._ended)
        self.changed.emit()

    def stop(self) -> None:
        """Ask the run to save what was learnt and end."""
        if self._run is not None:
            self._run.stop()
            self.changed.emit()

    def put_away(self) -> None:
        """The person has seen how the last run ended."""
        if self._run is None:
            self.request, self.progress = None, TeachingProgress()
            self.changed.emit()

    def forget_unfinished(self) -> None:
        """The person does not want to go on with what was stopped."""
        self._remember(None)

    def shut_down(self) -> None:
        """End a run by force: the window goes and nobody is left to follow it."""
        if self._run is not None:
            self._run.shut_down()

    def use_result(self) -> None:
        """Put the adapter on its model, which is loaded first if another one is in use."""
        request, result, current = self.request, self.result, self._models.current
        if request is None or not result:
            return
        if request.method != LORA:
            self._models.load(result)
        elif current is not None and current.path == request.model:
            self._models.adapters.put_on(result)
        else:
            self._models.adapters.load_with(request.model, result)

    def open_folder(self) -> None:
        """Show the folder of the result in the system's file manager."""
        if self.request is not None:
            out = Path(self.request.out)
            folder = out if out.is_dir() else out.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    @Slot(object)
    def _told(self, event: TrainingEvent) -> None:
        self.progress.add(event)
        self.changed.emit()

    @Slot(object)
    def _ended(self, event: TrainingFinished | TrainingFailed) -> None:
        self.progress.add(event)
        if self.result or (isinstance(event, TrainingFailed) and self.progress.step is None):
            self._remember(None)
        if self._run is not None:
            self._run.deleteLater()
            self._run = None
        self.changed.emit()
        self.ended.emit()

    def _remember(self, request: TeachingRequest | None) -> None:
        self._settings.set(_UNFINISHED, request.as_setting() if request is not None else {})
        self._models.save_settings()


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:
        return False


def failure(end: TrainingFailed) -> TrainingError:
    """The error that ended a run in the child process."""
    return TrainingError(end.title, end.hint, end.details)
