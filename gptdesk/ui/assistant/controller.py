"""The assistant: turns the panel's buttons into runs, and the runs' events into text.

One run at a time. Continue writes into the editor it began in (`continuation.py`); the other tasks
write on the result's card (`result.py`), one result per mode.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QApplication

from gptdesk.errors import GptDeskError
from gptdesk.generation.events import Event, Finished, Progress, Text
from gptdesk.jobs import RunTask
from gptdesk.ui.assistant.change_marks import ChangeMarks
from gptdesk.ui.assistant.continuation import Continuations
from gptdesk.ui.assistant.panel import CONTINUE, AssistantPanel
from gptdesk.ui.assistant.progress_text import RunProgress
from gptdesk.ui.assistant.result import Result, Source
from gptdesk.ui.assistant.sources import Sources
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.error_texts import told_all
from gptdesk.ui.messages import Message, Messages
from gptdesk.ui.worker import EngineWorker


class AssistantController(QObject):
    """Runs tasks for the panel.

    Signals:
        busy_changed(bool): a run begins or is over.
        measured(Stats): the figures of a run that has ended.
        source_changed(): a summary or translation would start from another text.
    """

    busy_changed = Signal(bool)
    measured = Signal(object)
    source_changed = Signal()

    def __init__(
        self,
        worker: EngineWorker,
        panel: AssistantPanel,
        tabs: DocumentTabs,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._worker, self._panel, self._tabs, self._messages = worker, panel, tabs, messages
        self._job: int | None = None
        self._run_mode = CONTINUE
        self._progress = RunProgress()
        self._continuations = Continuations(self)
        self._results = {mode: Result() for mode in panel.forms}
        self._sources = Sources(panel, tabs, self)
        self._marks = ChangeMarks(panel.source_text, panel.card.text_view, self)
        self._connect()
        self._tab_changed()

    def _connect(self) -> None:
        worker, panel, controls = self._worker, self._panel, self._panel.controls
        worker.reported.connect(self._on_event)
        worker.finished.connect(self._on_finished)
        worker.failed.connect(self._on_failed)
        worker.cancelled.connect(self._on_cancelled)
        controls.generate_clicked.connect(self.generate)
        controls.stop_clicked.connect(self.stop)
        controls.accept_clicked.connect(self.accept)
        controls.retry_clicked.connect(self.retry)
        controls.alternative_clicked.connect(self.show_alternative)
        panel.card.retry_clicked.connect(self.retry)
        panel.card.insert_clicked.connect(self.insert)
        panel.card.replace_clicked.connect(self.replace)
        panel.card.copy_clicked.connect(self.copy)
        panel.mode_changed.connect(self._mode_changed)
        self._tabs.current_changed.connect(self._tab_changed)
        self._sources.changed.connect(self.source_changed)
        self._continuations.changed.connect(self._show_versions)
        self._continuations.dropped.connect(self.stop)

    # --- what the person asks for ---

    @property
    def busy(self) -> bool:
        """Whether a run goes on."""
        return self._job is not None

    def source_text(self) -> str:
        """The text that a run would start from now."""
        if self._panel.mode == CONTINUE:
            return self._editor.text_before_cursor()
        return self._sources.take().text

    @property
    def _editor(self) -> TextEdit:
        return self._tabs.current.editor

    @property
    def _result(self) -> Result:
        """The result on the card."""
        return self._results[self._panel.mode]

    @Slot()
    def generate(self) -> None:
        """Start a run in the panel's mode."""
        if self.busy:
            return
        if self._panel.mode == CONTINUE:
            self._start_continuation(again=False)
        else:
            self._start_result(self._sources.take())

    @Slot()
    def retry(self) -> None:
        """Another version: of what is provisional, or of the result on the card."""
        if self.busy:
            return
        source = self._result.source
        if self._panel.mode == CONTINUE:
            self._start_continuation(again=self._editor.has_provisional)
        else:
            self._start_result(source or self._sources.take(), again=source is not None)

    @Slot()
    def stop(self) -> None:
        """Stop the run; what has come stays."""
        if self._job is not None:
            self._worker.cancel(self._job)

    @Slot()
    def accept(self) -> None:
        """Take the provisional text into the document."""
        self._editor.accept_provisional()
        self._editor.setFocus()

    @Slot(int)
    def show_alternative(self, step: int) -> None:
        """Show the version before or after the one in sight."""
        if not self.busy and self._editor.has_provisional:
            self._continuations.show(self._editor, step)

    @Slot()
    def insert(self) -> None:
        """Put the result at the cursor of the document."""
        self._editor.insert_result(self._result.text)
        self._editor.setFocus()

    @Slot()
    def replace(self) -> None:
        """Put the result in place of its source."""
        source = self._result.source
        if source is None or not self._result.may_replace:
            return
        if source.replace_by(self._result.text):
            self._editor.setFocus()
        else:
            self._say_source_has_changed()

    @Slot()
    def copy(self) -> None:
        """Copy the result."""
        QApplication.clipboard().setText(self._result.text)

    # --- runs ---

    def _start_continuation(self, *, again: bool) -> None:
        self._editor.setFocus()  # Tab and Esc mean the text that comes, also after a click
        text = self._continuations.begin(self._editor, again=again)
        count = self._continuations.position(self._editor)[1]
        self._submit(CONTINUE, text, version=count - 1)

    def _start_result(self, source: Source, *, again: bool = False) -> None:
        if not source.text.strip():
            self._messages.show(
                Message(
                    self.tr("There is no text yet."),
                    self.tr("Write or open a document, select a passage, or paste a text."),
                    is_error=False,
                )
            )
            return
        mode = self._panel.mode
        self._results[mode] = Result(source=source)
        self._panel.card.set_text("")
        self._show_changes()
        self._submit(mode, source.text, version=1 if again else 0)

    def _submit(self, mode: str, text: str, version: int) -> None:
        self._run_mode = mode
        self._progress = RunProgress()
        request = RunTask(mode, text, self._panel.options(), self._sampling(version))
        self._job = self._worker.submit(request)
        self._panel.controls.show_busy(self.tr("starting"))
        self._show_card_actions()
        self.busy_changed.emit(True)

    def _sampling(self, version: int) -> dict[str, Any]:
        values = self._panel.sampling.values()
        if version and "seed" in values:
            values["seed"] += version  # the same seed would only write the same text once more
        return values

    def _end_run(self) -> bool:
        """The run is over; False when a continuation brought nothing."""
        self._job = None
        self._panel.controls.show_idle()
        brought = self._continuations.end() if self._run_mode == CONTINUE else True
        self._show_versions()
        self._show_card_actions()
        self.busy_changed.emit(False)
        return brought

    # --- what the worker tells ---

    @Slot(int, object)
    def _on_event(self, job: int, event: Event) -> None:
        if job != self._job:
            return
        if isinstance(event, Text):
            self._add_text(event.text)
        elif isinstance(event, Progress):
            self._panel.controls.show_busy(self._progress.after(event))
        elif isinstance(event, Finished):
            self._show_outcome(event)  # of a run that was stopped

    def _add_text(self, text: str) -> None:
        self._panel.controls.show_busy(self._progress.writing())
        if self._run_mode == CONTINUE:
            self._continuations.append(text)
        else:
            result = self._results[self._run_mode]
            result.text += text
            if self._panel.mode == self._run_mode:
                self._panel.card.append(text)

    @Slot(int, object)
    def _on_finished(self, job: int, finished: Finished) -> None:
        if job == self._job:
            self._results[self._run_mode].complete = True
            brought = self._end_run()
            self._show_outcome(finished)
            if _left_all_alone(finished):
                self._say_nothing_to_change()
            if not brought:
                self._say_nothing_came()

    @Slot(int, object)
    def _on_failed(self, job: int, error: GptDeskError) -> None:
        if job == self._job:
            self._end_run()
            self._messages.error(error)

    @Slot(int)
    def _on_cancelled(self, job: int) -> None:
        if job == self._job:
            self._end_run()

    def _show_outcome(self, finished: Finished) -> None:
        self.measured.emit(finished.stats)
        self._results[self._run_mode].changes = finished.result.get("changes") or ()
        self._show_changes()
        self._show_notes(finished)

    def _say_nothing_came(self) -> None:
        self._messages.show(
            Message(
                self.tr("The model added nothing."),
                self.tr("Try again, or write a few more words first."),
                is_error=False,
            )
        )

    def _say_nothing_to_change(self) -> None:
        title = self.tr("The model found nothing to change.")
        self._messages.show(Message(title, "", is_error=False))

    def _say_source_has_changed(self) -> None:
        title = self.tr("The text has changed since this run began, so it was not replaced.")
        hint = self.tr("Insert or copy the result, or generate it anew from the text as it is now.")
        self._messages.show(Message(title, hint, is_error=False))

    def _show_notes(self, finished: Finished) -> None:
        notes = told_all(finished.result.get("notes") or ())
        parts = finished.result.get("parts") or ()
        self._sources.show_parts(len(parts))
        if notes:
            more = self.tr("{0} more remarks").format(len(notes) - 1) if len(notes) > 1 else ""
            details = "\n".join(notes) if more else ""
            self._messages.show(Message(notes[0], more, details, is_error=False))

    # --- what is shown ---

    @Slot(str)
    def _mode_changed(self, mode: str) -> None:
        self._panel.card.set_text(self._results[mode].text)
        self._show_changes()
        self._show_card_actions()
        self._show_versions()

    @Slot()
    def _tab_changed(self) -> None:
        editor = self._editor
        if self._continuations.watch(editor):
            editor.stop_requested.connect(self.stop)
        self._show_versions()

    @Slot()
    def _show_versions(self) -> None:
        index, count = self._continuations.position(self._editor)
        self._panel.controls.show_alternatives(index, count, busy=self.busy)

    def _show_changes(self) -> None:
        result = self._result
        source = result.source.text if result.source is not None else ""
        self._marks.show(source, result.text, result.changes)

    def _show_card_actions(self) -> None:
        result = self._result
        self._panel.card.set_actions(
            text=bool(result.text), replace=result.may_replace, busy=self.busy
        )


def _left_all_alone(finished: Finished) -> bool:
    """Whether a whole text was read and each sentence of it found right."""
    result = finished.result
    return finished.reason != "cancelled" and result.get("changed") == 0 and not result["notes"]
