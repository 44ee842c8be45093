"""Models as the window sees them: which is open, what is being loaded, inspected or exported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from gptdesk import paths
from gptdesk.checkpoints.adapter_info import AdapterInfo
from gptdesk.checkpoints.info import ModelInfo
from gptdesk.engines.base import EngineInfo
from gptdesk.errors import GptDeskError
from gptdesk.generation.events import Event, Finished, Progress
from gptdesk.jobs import (
    ExportModel,
    InspectModel,
    ListModels,
    LoadModel,
    SetAdapter,
    SwitchAdapter,
    UnloadModel,
)
from gptdesk.settings import Settings
from gptdesk.ui.error_texts import told_all
from gptdesk.ui.messages import Message, Messages
from gptdesk.ui.models.adapters import AdapterControl
from gptdesk.ui.worker import EngineWorker

_MOST_RECENT = 8


@dataclass(frozen=True)
class OpenModel:
    """The model in use."""

    path: str
    model: ModelInfo
    engine: EngineInfo
    name: str = ""
    warnings: tuple[str, ...] = ()
    adapter: AdapterInfo | None = None
    adapter_enabled: bool = False

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> OpenModel:
        """From the result of a job that changes the model in use."""
        return cls(
            str(result["model"].path),
            result["model"],
            result["info"],
            str(result.get("name") or result["model"].name),
            tuple(result.get("warnings") or ()),
            result.get("adapter"),
            bool(result.get("adapter_enabled")),
        )


@dataclass
class _Job:
    """A job of the worker and who wants to hear of it."""

    kind: str
    path: str
    on_progress: Callable[[Progress], None]
    on_done: Callable[[Any], None]
    on_failed: Callable[[GptDeskError], None]
    on_cancelled: Callable[[], None] = field(default=lambda: None)


class ModelController(QObject):
    """Loads, exports and unloads through the engine's worker; inspects beside it.

    Signals:
        changed(): another model is in use, or none.
        load_progress(Progress), load_ended(GptDeskError | None): of the load in progress; None
            when it went well or was cancelled (then `changed` tells which).
        inspected(str, object): a path and its ModelInfo, or the GptDeskError.
        listed(object): the list of ModelInfo that `look_for_models` found.
        export_progress(Progress), export_ended(object): ExportReport, GptDeskError, or None when
            cancelled.
    """

    changed = Signal()
    load_progress = Signal(object)
    load_ended = Signal(object)
    inspected = Signal(str, object)
    listed = Signal(object)
    export_progress = Signal(object)
    export_ended = Signal(object)

    def __init__(
        self,
        worker: EngineWorker,
        questions: EngineWorker,
        settings: Settings,
        messages: Messages,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._worker, self._questions = worker, questions
        self._settings, self._messages = settings, messages
        self._jobs: dict[int, _Job] = {}
        self.current: OpenModel | None = None
        self.adapters = AdapterControl(self, settings)
        self.last_loaded = ""  # as it was asked for; `current.path` is where it was found
        for source in (worker, questions):
            source.reported.connect(self._on_event)
            source.finished.connect(self._on_finished)
            source.failed.connect(self._on_failed)
            source.cancelled.connect(self._on_cancelled)

    # --- what the person asks for ---

    @property
    def loading(self) -> str:
        """Path of the model that is being loaded, "" for none."""
        return next((job.path for job in self._jobs.values() if job.kind == "load"), "")

    @property
    def recent(self) -> list[str]:
        """Models opened lately, newest first."""
        return [str(path) for path in self._settings.get("model.recent")]

    @property
    def places(self) -> list[str]:
        """Folders of the person's own in which models are looked for."""
        return [str(path) for path in self._settings.get("model.folders")]

    def set_places(self, places: Sequence[str]) -> None:
        """Look for models in these folders from now on."""
        self._remember("model.folders", list(dict.fromkeys(places)))

    def look_for_models(self) -> None:
        """Look for models in all places there are; the answer comes by `listed`."""
        request = ListModels((*self.places, *self.recent))

        def done(result: Any) -> None:
            self.listed.emit(result["models"])

        job = _Job("list", "", lambda _: None, done, self._messages.error)
        self._jobs[self._questions.submit(request)] = job

    def load(self, path: str) -> None:
        """Load a model in place of the one in use, which stays when this fails."""
        if self.loading:
            return
        # If loading kills the process, the next start finds this and does not try again.
        self._remember("model.loading", path)
        request = LoadModel(
            path,
            self._settings.get("model.engine"),
            self._settings.get("model.device"),
            self._settings.get("model.dtype"),
        )

        def done(result: Any) -> None:
            self.last_loaded = path
            self._loaded(result)

        self._submit(request, _Job("load", path, self.load_progress.emit, done, self._load_failed))
        self.load_progress.emit(Progress(stage="loading"))

    def cancel_load(self) -> None:
        """Stop loading a model or an adapter; what is in use stays."""
        self._cancel("load")
        self._cancel("adapter")

    def change(self, request: SetAdapter | SwitchAdapter, on_done: Callable[[], None]) -> None:
        """Change the model in use; it stays as it is when that fails."""

        def done(result: Any) -> None:
            if self.current is not None:  # else it was unloaded meanwhile
                known = self.current.warnings
                self.current = OpenModel.of(result)
                self._tell([text for text in self.current.warnings if text not in known])
                on_done()
            self._change_over()

        def failed(error: GptDeskError) -> None:
            self._messages.error(error)
            self._change_over()

        job = _Job("adapter", "", self.load_progress.emit, done, failed, self._change_over)
        self._submit(request, job)

    def _change_over(self) -> None:
        self.load_ended.emit(None)
        self.changed.emit()

    def unload(self) -> None:
        """Free the model in use."""
        if self.current is not None:
            self._submit(
                UnloadModel(),
                _Job("unload", "", lambda _: None, self._unloaded, self._messages.error),
            )

    def inspect(self, path: str) -> None:
        """Look at a model's headers; the answer comes by `inspected`."""

        def tell(answer: object) -> None:
            self.inspected.emit(path, answer)

        def done(result: Any) -> None:
            tell(result["model"])

        job = _Job("inspect", path, lambda _: None, done, tell)
        self._jobs[self._questions.submit(InspectModel(path))] = job

    def export(self, out_dir: str, precision: str = "fp32") -> None:
        """Write the model in use as ONNX into a new folder."""
        if self.current is None:
            return
        adapter = self.current.adapter if self.current.adapter_enabled else None
        merged = str(adapter.path) if adapter is not None else ""
        request = ExportModel(self.current.path, out_dir, precision, adapter=merged)

        def done(result: Any) -> None:
            self.export_ended.emit(result["report"])

        def failed(error: GptDeskError) -> None:
            self._messages.error(error)
            self.export_ended.emit(error)

        def cancelled() -> None:
            self.export_ended.emit(None)

        job = _Job("export", out_dir, self.export_progress.emit, done, failed, cancelled)
        self._submit(request, job)

    def cancel_export(self) -> None:
        """Stop exporting; nothing stays on the disk."""
        self._cancel("export")

    def load_at_start(self) -> None:
        """Open the last model, or the bundled one; not the one whose loading ended the app."""
        crashed = self._settings.get("model.loading")
        if crashed:
            self._remember("model.loading", "")
            self._tell_of_crash(crashed)
            return
        last = self._settings.get("model.path")
        bundled = paths.default_model_dir()
        if last and Path(last).exists():
            self.adapters.keep_for(last)
            self.load(last)
        elif (bundled / "config.json").is_file():
            self.load(str(bundled))

    def _tell_of_crash(self, path: str) -> None:
        self._messages.show(
            Message(
                self.tr("Opening {0} ended gptdesk the last time.").format(Path(path).name),
                self.tr("It was not opened again. Choose another model, or try once more."),
                path,
                action_label=self.tr("Try once more"),
                action=lambda: self.load(path),
            )
        )

    # --- the jobs ---

    def _submit(self, request: Any, job: _Job) -> None:
        self._jobs[self._worker.submit(request)] = job

    def _cancel(self, kind: str) -> None:
        for number, job in self._jobs.items():
            if job.kind == kind:
                self._worker.cancel(number)

    def _loaded(self, result: Any) -> None:
        self.current = OpenModel.of(result)
        path = self.current.path
        recent = [path, *(other for other in self.recent if other != path)]
        self._settings.set("model.recent", recent[:_MOST_RECENT])
        self._settings.set("model.path", path)
        self._load_over(None)
        self._tell(self.current.warnings)
        self.adapters.model_loaded()

    def _tell(self, warnings: Sequence[str]) -> None:
        if warnings:
            title, *rest = told_all(warnings)
            self._messages.show(Message(title, " ".join(rest), is_error=False))

    def _load_failed(self, error: GptDeskError) -> None:
        self._messages.error(error)
        self._load_over(error)

    def _load_over(self, error: GptDeskError | None) -> None:
        self._remember("model.loading", "")
        self.load_ended.emit(error)
        self.changed.emit()

    def _unloaded(self, _: Any) -> None:
        self.current = None
        self.changed.emit()

    def _remember(self, key: str, value: str | list[str]) -> None:
        self._settings.set(key, value)
        self.save_settings()

    def save_settings(self) -> None:
        """Write the settings to the disk now."""
        try:
            self._settings.save()
        except GptDeskError as error:
            self._messages.error(error)

    @Slot(int, object)
    def _on_event(self, number: int, event: Event) -> None:
        if number in self._jobs and isinstance(event, Progress):
            self._jobs[number].on_progress(event)

    @Slot(int, object)
    def _on_finished(self, number: int, finished: Finished) -> None:
        job = self._jobs.pop(number, None)
        if job is not None:
            job.on_done(finished.result)

    @Slot(int, object)
    def _on_failed(self, number: int, error: GptDeskError) -> None:
        job = self._jobs.pop(number, None)
        if job is not None:
            job.on_failed(error)

    @Slot(int)
    def _on_cancelled(self, number: int) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        if job.kind == "load":
            self._load_over(None)
        job.on_cancelled()
