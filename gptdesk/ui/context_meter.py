"""Counts the document's words and the tokens the model would read, a moment after the last key."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot

from gptdesk.generation.events import Finished, Stats
from gptdesk.jobs import CountTokens
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.models.controller import ModelController
from gptdesk.ui.numbers import count_words
from gptdesk.ui.status_bar import StatusBar
from gptdesk.ui.worker import EngineWorker

_PAUSE_MS = 400
# No tokenizer in use makes tokens longer than this on average, so more text than that fills any context.
_CHARACTERS_PER_TOKEN = 16


class ContextMeter(QObject):
    """Keeps the right half of the status bar true; counts nothing while a run goes on."""

    def __init__(
        self,
        worker: EngineWorker,
        models: ModelController,
        tabs: DocumentTabs,
        status: StatusBar,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._worker, self._models, self._tabs, self._status = worker, models, tabs, status
        self._job: int | None = None
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._count)
        tabs.text_changed.connect(self._timer.start)
        tabs.current_changed.connect(self._timer.start)
        models.changed.connect(self._timer.start)
        worker.finished.connect(self._counted)
        worker.failed.connect(self._failed)

    @Slot(bool)
    def set_busy(self, busy: bool) -> None:
        """A run begins or is over."""
        self._busy = busy
        if not busy:
            self._timer.start()

    @Slot(object)
    def show_stats(self, stats: Stats) -> None:
        """The figures of a run that has ended."""
        if stats.tokens_per_second:
            self._status.show_speed(stats.tokens_per_second)
        if stats.context_length:
            self._status.show_context(stats.context_used, stats.context_length)

    @Slot()
    def _count(self) -> None:
        editor = self._tabs.current.editor
        self._status.show_words(count_words(editor.plain_text()))
        opened = self._models.current
        if opened is None:
            self._status.show_context(0, 0)
        elif not self._busy and self._job is None:
            most = opened.engine.context_length * _CHARACTERS_PER_TOKEN
            self._job = self._worker.submit(CountTokens(editor.text_before_cursor()[-most:]))

    @Slot(int, object)
    def _counted(self, job: int, finished: Finished) -> None:
        if job != self._job:
            return
        self._job = None
        if self._models.current is not None:
            available = self._models.current.engine.context_length
            self._status.show_context(int(finished.result["tokens"]), available)

    @Slot(int, object)
    def _failed(self, job: int, _: object) -> None:
        # The model was unloaded meanwhile; that is told elsewhere.
        if job == self._job:
            self._job = None
