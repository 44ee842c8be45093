"""Keeps the marks of what the model is weak at true: on the languages, and in the panel's notice."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot

from gptdesk.generation.events import Finished
from gptdesk.jobs import FindCaveats
from gptdesk.ui.assistant.controller import AssistantController
from gptdesk.ui.assistant.panel import AssistantPanel
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.models.controller import ModelController
from gptdesk.ui.worker import EngineWorker

_PAUSE_MS = 250


class CaveatWatch(QObject):
    """Asks a moment after the last change of model, task, options or text; not during a run."""

    def __init__(
        self,
        worker: EngineWorker,
        models: ModelController,
        panel: AssistantPanel,
        tabs: DocumentTabs,
        assistant: AssistantController,
    ) -> None:
        super().__init__(assistant)
        self._worker, self._models, self._panel = worker, models, panel
        self._assistant = assistant
        self._job: int | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._ask)
        for changed in (
            panel.changed,
            panel.mode_changed,
            assistant.source_changed,
            assistant.busy_changed,
            tabs.text_changed,
            tabs.current_changed,
        ):
            changed.connect(self._changed)
        models.changed.connect(self._model_changed)
        worker.finished.connect(self._answered)

    @Slot()
    def _changed(self) -> None:
        self._timer.start()

    @Slot()
    def _model_changed(self) -> None:
        opened = self._models.current
        self._panel.mark_languages(opened.model.experimental.languages if opened else ())
        self._ask()

    @Slot()
    def _ask(self) -> None:
        self._job = None
        opened = self._models.current
        if opened is None or not opened.model.experimental:
            self._panel.caveats.show_caveats(())
        elif not self._assistant.busy:
            request = FindCaveats(
                self._panel.mode, self._assistant.source_text(), self._panel.options()
            )
            self._job = self._worker.submit(request)

    @Slot(int, object)
    def _answered(self, job: int, finished: Finished) -> None:
        if job == self._job:
            self._job = None
            self._panel.caveats.show_caveats(finished.result["caveats"])
