"""The worker's requests, through pickle, on real tiny checkpoints."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gptdesk.cancel import CancelFlag, ThreadCancelFlag
from gptdesk.errors import (
    Cancelled,
    CheckpointError,
    EngineError,
    ExportError,
    GptDeskError,
    OptionError,
    OutOfMemoryError,
)
from gptdesk.generation.events import Finished, Progress, Text
from gptdesk.jobs import (
    CountTokens,
    ExportModel,
    InspectModel,
    JobRunner,
    LoadModel,
    Request,
    RunTask,
    SetAdapter,
    SwitchAdapter,
    UnloadModel,
    with_progress,
)
from tests.helpers import adapters


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    made = JobRunner()
    yield made
    made.close()


def do(runner: JobRunner, request: Request, cancel: CancelFlag | None = None) -> list[Any]:
    """All events; everything goes through pickle, as on the way from and to another process."""
    sent = pickle.loads(pickle.dumps(request))
    assert sent == request
    events = runner.run(sent, cancel or ThreadCancelFlag())
    return [pickle.loads(pickle.dumps(event)) for event in events]


def result(runner: JobRunner, request: Request) -> dict[str, Any]:
    last = do(runner, request)[-1]
    assert isinstance(last, Finished)
    return dict(last.result)


def test_loading_answers_with_what_a_window_shows(runner: JobRunner, tiny_llama_dir: Path) -> None:
    events = do(runner, LoadModel(str(tiny_llama_dir)))
    loading = [event for event in events if isinstance(event, Progress)]
    assert {event.stage for event in loading} == {"loading"}
    assert loading[-1].done == loading[-1].total
    answer = events[-1].result
    assert answer["info"].name == "torch"
    assert answer["model"].architecture == "llama"
    assert answer["name"] == tiny_llama_dir.name
    assert answer["templates"] == ()
    assert answer["has_chat_template"]
    assert answer["warnings"] == []


def test_a_task_runs_on_the_model_in_use(runner: JobRunner, tiny_llama_dir: Path) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    request = RunTask("continue", "The keeper", {"length": "sentence"}, {"seed": 1}, {"tab": 3})
    events = do(runner, request)
    assert any(isinstance(event, Text) for event in events)
    assert events[-1].result["extra"] == {"tab": 3}
    assert "extra" not in result(runner, RunTask("continue", "The keeper"))


def test_a_stopped_task_finishes_as_cancelled(runner: JobRunner, tiny_llama_dir: Path) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    flag = ThreadCancelFlag()
    flag.set()
    assert do(runner, RunTask("continue", "The keeper"), flag)[-1].reason == "cancelled"


def test_tokens_are_counted(runner: JobRunner, tiny_llama_dir: Path) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    assert result(runner, CountTokens("The keeper")) == {"tokens": 2}
    assert result(runner, CountTokens("")) == {"tokens": 0}


@pytest.mark.parametrize("request_", [CountTokens("x"), RunTask("continue", "x")])
def test_without_a_model(runner: JobRunner, request_: Request) -> None:
    with pytest.raises(EngineError, match="No model"):
        do(runner, request_)


def test_unloading(runner: JobRunner, tiny_llama_dir: Path) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    assert result(runner, UnloadModel()) == {}
    assert runner.model is None
    assert result(runner, UnloadModel()) == {}


def test_a_new_model_takes_the_place_of_the_old_one(
    runner: JobRunner, tiny_llama_dir: Path, tiny_gpt2_dir: Path
) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    old = runner.model
    assert old is not None
    assert result(runner, LoadModel(str(tiny_gpt2_dir)))["model"].architecture == "gpt2"
    with pytest.raises(EngineError, match="closed"):
        old.logits([1])


@pytest.mark.parametrize(
    ("change", "error"),
    [({"path": "/nowhere"}, CheckpointError), ({"engine": "steam"}, OptionError)],
)
def test_a_failed_load_keeps_the_model_in_use(
    runner: JobRunner, tiny_llama_dir: Path, change: dict[str, str], error: type[GptDeskError]
) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    with pytest.raises(error) as raised:
        do(runner, LoadModel(**({"path": str(tiny_llama_dir)} | change)))
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (type(copy), copy.title, copy.hint) == (error, raised.value.title, raised.value.hint)
    assert do(runner, RunTask("continue", "The", sampling={"max_new_tokens": 2}))


def test_a_stopped_load_keeps_the_model_in_use(runner: JobRunner, tiny_llama_dir: Path) -> None:
    do(runner, LoadModel(str(tiny_llama_dir)))
    before = runner.model
    flag = ThreadCancelFlag()
    flag.set()
    with pytest.raises(Cancelled):
        do(runner, LoadModel(str(tiny_llama_dir)), flag)
    assert runner.model is before


def test_no_memory_beside_the_model_in_use(
    runner: JobRunner, tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*args: Any, **kwargs: Any) -> Any:
        raise OutOfMemoryError("It does not fit.", "Choose a smaller model.")

    do(runner, LoadModel(str(tiny_llama_dir)))
    monkeypatch.setattr("gptdesk.session.load_model", too_large)
    with pytest.raises(OutOfMemoryError, match="first frees") as raised:
        do(runner, LoadModel(str(tiny_llama_dir)))
    assert raised.value.hint.startswith("Choose a smaller model.")


def test_inspecting(runner: JobRunner, tiny_gpt2_dir: Path) -> None:
    assert result(runner, InspectModel(str(tiny_gpt2_dir)))["model"].architecture == "gpt2"


def test_exporting_and_going_on_with_the_export(
    runner: JobRunner, tiny_gpt2_dir: Path, tmp_path: Path
) -> None:
    values = {"temperature": 0, "seed": 1, "max_new_tokens": 200}
    greedy = RunTask("continue", "The keeper", {"length": "page"}, values)
    do(runner, LoadModel(str(tiny_gpt2_dir)))
    before = do(runner, greedy)
    events = do(runner, ExportModel(str(tiny_gpt2_dir), str(tmp_path / "onnx")))
    assert "exporting" in {event.stage for event in events if isinstance(event, Progress)}
    assert events[-1].result["report"].greedy_equal
    assert result(runner, LoadModel(str(tmp_path / "onnx")))["info"].name == "onnx"
    after = do(runner, greedy)
    assert "".join(event.text for event in after) == "".join(event.text for event in before)


def test_a_failed_export_says_so(runner: JobRunner, tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(ExportError):
        do(runner, ExportModel(str(tiny_gpt2_dir), str(tmp_path / "full")))
    flag = ThreadCancelFlag()
    flag.set()
    with pytest.raises(Cancelled):
        do(runner, ExportModel(str(tiny_gpt2_dir), str(tmp_path / "new")), flag)
    assert not (tmp_path / "new").exists()


def test_progress_comes_while_the_work_goes_on() -> None:
    seen_first = threading.Event()

    def work(progress: Any, cancel: CancelFlag) -> str:
        progress(Progress(done=1))
        assert seen_first.wait(20), "the first report should come before the work ends"
        progress(Progress(done=2))
        return "done"

    def consume() -> Iterator[Progress]:
        answer = yield from with_progress(work, ThreadCancelFlag())
        assert answer == "done"

    events = consume()
    assert next(events).done == 1
    seen_first.set()
    assert [event.done for event in events] == [2]


def test_work_that_nobody_waits_for_is_stopped_and_its_result_discarded() -> None:
    discarded: list[str] = []

    def work(progress: Any, cancel: CancelFlag) -> str:
        progress(Progress(done=1))
        while not cancel.is_set():
            threading.Event().wait(0.001)
        return "made anyway"

    events = with_progress(work, ThreadCancelFlag(), discarded.append)
    next(events)
    events.close()
    assert discarded == ["made anyway"]


def test_what_the_work_raises_is_raised_to_the_consumer() -> None:
    def work(progress: Any, cancel: CancelFlag) -> str:
        raise CheckpointError("Broken.")

    with pytest.raises(CheckpointError, match="Broken"):
        list(with_progress(work, ThreadCancelFlag()))


def test_an_adapter_is_put_on_switched_and_taken_out(
    runner: JobRunner, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    folder = adapters.write(tiny_llama_dir, tmp_path / "letters", r=2, target_modules=["q_proj"])
    with pytest.raises(EngineError, match="No model"):
        do(runner, SetAdapter(str(folder)))
    assert result(runner, LoadModel(str(tiny_llama_dir)))["adapter"] is None
    *events, last = do(runner, SetAdapter(str(folder), enabled=False))
    assert {event.stage for event in events} == {"loading"}
    assert last.result["adapter"].name == "letters"
    assert not last.result["adapter_enabled"]
    assert result(runner, SwitchAdapter(True))["adapter_enabled"]
    with pytest.raises(CheckpointError):
        do(runner, SetAdapter(str(tmp_path / "nothing")))
    assert result(runner, SwitchAdapter(True))["adapter"].name == "letters"
    assert result(runner, SetAdapter(""))["adapter"] is None
    with pytest.raises(EngineError, match="no adapter"):
        do(runner, SwitchAdapter(True))
