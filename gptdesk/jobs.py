"""What a window asks of its worker, as plain data, and the runner that does it.

Requests, events and errors can all be pickled: the runner works the same in a thread and in a
child process. It keeps one model loaded and does one request at a time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gptdesk.cancel import NEVER, AnyCancelFlag, CancelFlag, ThreadCancelFlag
from gptdesk.errors import EngineError, OutOfMemoryError
from gptdesk.generation.events import Event, Finished, Progress

if TYPE_CHECKING:
    from gptdesk.checkpoints.info import ModelInfo
    from gptdesk.session import Model

T = TypeVar("T")
ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class LoadModel:
    """Load a model in place of the one in use, which stays when this fails.

    Result: "info" EngineInfo, "model" ModelInfo, "name" str, "has_chat_template" bool,
    "templates" ids of tasks the model has templates for, "warnings" list of sentences,
    "adapter" AdapterInfo or None, "adapter_enabled" bool.
    """

    path: str
    engine: str = "auto"
    device: str = "auto"
    dtype: str = "auto"


@dataclass(frozen=True, slots=True)
class UnloadModel:
    """Free the model in use, if there is one. Result: nothing."""


@dataclass(frozen=True, slots=True)
class SetAdapter:
    """Put a LoRA adapter on the model in use, which stays as it is when this fails.

    Result: as of `LoadModel`.

    Attributes:
        path: the adapter's folder; "" takes the adapter out.
        enabled: whether it is switched on at once.
    """

    path: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SwitchAdapter:
    """Switch the adapter of the model in use on or off. Result: as of `LoadModel`."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class RunTask:
    """Run a task on the model in use.

    Attributes:
        task: "continue", "summarize", "translate", "rewrite".
        text: what the person wrote.
        options: values of the task's options.
        sampling: values that the person set, over the defaults.
        extra: for the caller; comes back in the result's key "extra" when it is not empty.
    """

    task: str
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InspectModel:
    """Look at a model without loading it. Result: "model" ModelInfo."""

    path: str


@dataclass(frozen=True, slots=True)
class ListModels:
    """Look for models in the places of `list_models`. Result: "models" list of ModelInfo.

    Attributes:
        folders: further places.
    """

    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportModel:
    """Write a model, with an adapter merged if one is named, as ONNX. Result: "report" ExportReport."""

    path: str
    out_dir: str
    precision: str = "fp32"
    variant: str = "fast"
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class CountTokens:
    """Count the tokens of a text for the model in use. Result: "tokens" int."""

    text: str


@dataclass(frozen=True, slots=True)
class FindCaveats:
    """Ask what to expect of a task where the model in use is weak. Result: "caveats" sentences."""

    task: str
    text: str
    options: Mapping[str, Any] = field(default_factory=dict)


Request = (
    LoadModel
    | UnloadModel
    | SetAdapter
    | SwitchAdapter
    | RunTask
    | InspectModel
    | ListModels
    | ExportModel
    | CountTokens
    | FindCaveats
)


class JobRunner:
    """Does requests, one at a time, and holds the model in use between them.

    `InspectModel`, `ListModels`, `CountTokens` and `FindCaveats` change nothing: they may run in
    another thread beside the others.

    Attributes:
        model: the model in use, or None.
    """

    def __init__(self) -> None:
        self.model: Model | None = None

    def run(self, request: Request, cancel: CancelFlag = NEVER) -> Iterator[Event]:
        """Yield the events of a request; the last is `Finished`, its `result` has the answer.

        A stopped task ends with `Finished(reason="cancelled")` and keeps what came.

        Raises:
            Cancelled: loading or exporting was stopped; nothing has changed.
            GptDeskError: it failed; the model in use, if any, is still there.
        """
        match request:
            case RunTask():
                yield from self._task(request, cancel)
            case LoadModel():
                yield from self._load(request, cancel)
            case UnloadModel():
                self.close()
                yield Finished()
            case SetAdapter():
                yield from self._set_adapter(request, cancel)
            case SwitchAdapter():
                self._in_use().adapter_enabled = request.enabled
                yield Finished(result=_description(self._in_use()))
            case InspectModel():
                yield Finished(result={"model": _inspect(request.path)})
            case ListModels():
                yield Finished(result={"models": _list(request.folders)})
            case ExportModel():
                yield from _export(request, cancel)
            case CountTokens():
                yield Finished(result={"tokens": self._in_use().tokenizer.count(request.text)})
            case FindCaveats():
                yield Finished(result={"caveats": self._caveats(request)})

    def close(self) -> None:
        """Free the model in use."""
        from gptdesk.checkpoints.memory import give_back_freed

        model, self.model = self.model, None
        if model is not None:
            model.close()
            give_back_freed()

    def _caveats(self, request: FindCaveats) -> list[str]:
        from gptdesk.tasks.caveats import caveats

        model = self._in_use()
        return caveats(request.task, request.text, request.options, model.profile, model.tokenizer)

    def _in_use(self) -> Model:
        if self.model is None:
            raise EngineError("No model is loaded.", "Open a model first.")
        return self.model

    def _task(self, request: RunTask, cancel: CancelFlag) -> Iterator[Event]:
        events = self._in_use().run(
            request.task, request.text, request.options, request.sampling, cancel
        )
        for event in events:
            if request.extra and isinstance(event, Finished):
                result = {**event.result, "extra": dict(request.extra)}
                event = Finished(result=result, stats=event.stats, reason=event.reason)
            yield event

    def _load(self, request: LoadModel, cancel: CancelFlag) -> Iterator[Event]:
        from gptdesk.session import load_model

        def load(progress: ProgressCallback, cancel: CancelFlag) -> Model:
            return load_model(
                request.path,
                engine=request.engine,
                device=request.device,
                dtype=request.dtype,
                progress=progress,
                cancel=cancel,
            )

        try:
            model = yield from with_progress(load, cancel, discard=lambda model: model.close())
        except OutOfMemoryError as error:
            if self.model is None:
                raise
            hint = f"{error.hint} Closing the model in use first frees its memory.".strip()
            raise OutOfMemoryError(error.title, hint, error.details) from error
        self.close()
        self.model = model
        yield Finished(result=_description(model))

    def _set_adapter(self, request: SetAdapter, cancel: CancelFlag) -> Iterator[Event]:
        model = self._in_use()

        def load(progress: ProgressCallback, cancel: CancelFlag) -> None:
            model.load_adapter(request.path, progress, cancel)

        if request.path:
            yield from with_progress(load, cancel)
            if not request.enabled:
                model.adapter_enabled = False
        else:
            model.remove_adapter()
        yield Finished(result=_description(model))


def _export(request: ExportModel, cancel: CancelFlag) -> Iterator[Event]:
    from gptdesk.export.onnx_export import ExportReport, export_onnx

    def export(progress: ProgressCallback, cancel: CancelFlag) -> ExportReport:
        return export_onnx(
            request.path,
            request.out_dir,
            precision=request.precision,
            variant=request.variant,
            progress=progress,
            cancel=cancel,
            adapter=request.adapter or None,
        )

    report = yield from with_progress(export, cancel)
    yield Finished(result={"report": report})


def _inspect(path: str) -> ModelInfo:
    from gptdesk.checkpoints.inspection import inspect_model

    return inspect_model(path)


def _list(folders: tuple[str, ...]) -> list[ModelInfo]:
    from gptdesk.checkpoints.catalogue import list_models

    return list_models([Path(folder) for folder in folders])


def _description(model: Model) -> dict[str, Any]:
    found = _inspect(str(model.path))
    return {
        "info": model.info,
        "model": found,
        "name": model.profile.name or found.name,
        "templates": tuple(model.profile.tasks),
        "has_chat_template": model.tokenizer.chat_template is not None,
        "warnings": list(model.warnings),
        "adapter": model.adapter,
        "adapter_enabled": model.adapter_enabled,
    }


def with_progress(
    work: Callable[[ProgressCallback, CancelFlag], T],
    cancel: CancelFlag,
    discard: Callable[[T], None] | None = None,
) -> Generator[Progress, None, T]:
    """Run work that reports through a callback, as a generator of its progress.

    A callback cannot suspend its caller, so the work runs in a helper thread and what it reports
    comes through a queue. The generator returns, or raises, what the work does; when it is closed
    early, the work is cancelled and waited for: no thread outlives it.

    Args:
        work: called with the callback and a cancel flag.
        cancel: the person's wish to stop.
        discard: given the result when the generator was closed before it could return it.
    """
    abandoned = ThreadCancelFlag()
    reports: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work(reports.put, AnyCancelFlag(cancel, abandoned)))
        except BaseException as error:  # noqa: BLE001  raised again where it is awaited
            outcome.set_exception(error)
        finally:
            reports.put(None)

    thread = threading.Thread(target=run, name="gptdesk-progress", daemon=True)
    thread.start()
    try:
        yield from iter(reports.get, None)
        thread.join()
    except BaseException:
        abandoned.set()
        thread.join()
        if discard is not None and outcome.exception() is None:
            discard(outcome.result())
        raise
    return outcome.result()
