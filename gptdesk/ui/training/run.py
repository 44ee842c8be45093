"""One training run as the window sees it: a child process, read by a thread, told in the window's.

    child ── lines of JSON ──► thread ── queue ──► timer, 20 times a second ──► told …, ended

The thread touches nothing of Qt, so nothing of the window can be called from it by mistake.
"""

from __future__ import annotations

import math
import queue
import threading
import traceback

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gptdesk.training.events import (
    StepDone,
    TrainingEvent,
    TrainingFailed,
    TrainingFinished,
)
from gptdesk.training.remote import RemoteTraining

UPDATE_MS = 50
PATIENCE_MS = 60_000
"""What a run that is asked to stop may take for its checkpoint before it is ended by force."""


class TrainingRun(QObject):
    """Starts the child at once.

    Signals:
        told(TrainingEvent): what happened, up to the last event.
        ended(object): TrainingFinished or TrainingFailed, exactly once, whatever became of the child.
    """

    told = Signal(object)
    ended = Signal(object)

    def __init__(self, remote: RemoteTraining, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._remote = remote
        self._mail: queue.SimpleQueue[TrainingEvent] = queue.SimpleQueue()
        self._step = 0
        self._over = False
        self.stopping = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._deliver)
        self._timer.start(UPDATE_MS)
        self._force = QTimer(self)
        self._force.setSingleShot(True)
        self._force.timeout.connect(remote.kill)
        self._thread = threading.Thread(target=self._read, name="gptdesk-training", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the run to save what was learnt and end; returns at once."""
        if not self.stopping:
            self.stopping = True
            self._remote.cancel()
            self._force.start(PATIENCE_MS)

    def shut_down(self, seconds: float = 5.0) -> None:
        """End the run by force and wait for it; checkpoints survive that."""
        self.stopping = True
        self._remote.kill()
        self._thread.join(seconds)
        self._deliver()

    @Slot()
    def _deliver(self) -> None:
        while not self._over:
            try:
                event = self._mail.get_nowait()
            except queue.Empty:
                return
            self._tell(event)

    def _tell(self, event: TrainingEvent) -> None:
        if isinstance(event, StepDone):
            self._step = event.step
        if not isinstance(event, TrainingFinished | TrainingFailed):
            self.told.emit(event)
            return
        self._over = True
        self._timer.stop()
        self._force.stop()
        if isinstance(event, TrainingFailed) and self._remote.interrupted:
            # Stopped before it could say so: while its libraries were loading, or by force.
            event = TrainingFinished("cancelled", self._step, math.nan, "")
        self.ended.emit(event)

    def _read(self) -> None:
        try:
            for event in self._remote.events():
                self._mail.put(event)
        except Exception:  # noqa: BLE001 - a thread that dies in silence would leave the window waiting
            failed = TrainingFailed("Training could not be followed.", "", traceback.format_exc())
            self._mail.put(failed)
