"""The worker's promises: order, one end per job whatever is raised, joined text, a bounded close."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from gptdesk.cancel import CancelFlag
from gptdesk.errors import Cancelled, CheckpointError, EngineError, OutOfMemoryError
from gptdesk.generation.events import Event, Finished, Progress, Started, Stats, Text
from gptdesk.ui.worker import EngineWorker

Script = Callable[[CancelFlag], Iterator[Event]]


class ScriptRunner:
    """Runs the script that is the request."""

    def run(self, request: Script, cancel: CancelFlag) -> Iterator[Event]:
        return request(cancel)

    def close(self) -> None:
        """Nothing is loaded."""


class Log(QObject):
    """Writes down every signal and the thread it came on."""

    def __init__(self, worker: EngineWorker) -> None:
        super().__init__()
        self.events: list[tuple[int, Event]] = []
        self.ends: list[tuple[int, str, Any]] = []
        self.threads: set[QThread] = set()
        worker.reported.connect(self.on_event)
        worker.finished.connect(lambda number, value: self.end(number, "finished", value))
        worker.failed.connect(lambda number, value: self.end(number, "failed", value))
        worker.cancelled.connect(lambda number: self.end(number, "cancelled", None))

    def on_event(self, number: int, event: Event) -> None:
        self.events.append((number, event))
        self.threads.add(QThread.currentThread())

    def end(self, number: int, kind: str, value: Any) -> None:
        self.ends.append((number, kind, value))
        self.threads.add(QThread.currentThread())

    def kinds(self) -> dict[int, str]:
        return {number: kind for number, kind, _ in self.ends}


@dataclass
class Bench:
    worker: EngineWorker
    log: Log

    def run(self, qtbot: QtBot, *scripts: Script) -> list[int]:
        jobs = [self.worker.submit(script) for script in scripts]
        qtbot.waitUntil(lambda: len(self.log.ends) >= len(jobs))
        return jobs


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    worker = EngineWorker(ScriptRunner)
    yield Bench(worker, Log(worker))
    assert worker.close()


def writes(*texts: str) -> Script:
    def script(cancel: CancelFlag) -> Iterator[Event]:
        yield Started(task="test")
        for text in texts:
            yield Text(text)
        yield Finished(result={"texts": len(texts)})

    return script


def raises(error: BaseException) -> Script:
    def script(cancel: CancelFlag) -> Iterator[Event]:
        yield Text("before")
        raise error

    return script


def waits(started: threading.Event) -> Script:
    def script(cancel: CancelFlag) -> Iterator[Event]:
        while not cancel.is_set():
            started.set()
            yield Progress(stage="writing", done=1)
            threading.Event().wait(0.002)
        yield Finished(reason="cancelled", stats=Stats(new_tokens=3))

    return script


def text_of(log: Log, job: int) -> str:
    return "".join(event.text for number, event in log.events if number == job)


def test_jobs_run_in_order_and_their_text_arrives_whole(qtbot: QtBot, bench: Bench) -> None:
    jobs = bench.run(qtbot, writes("a", "b", "c"), writes("d"), writes())
    assert [number for number, _, _ in bench.log.ends] == jobs
    assert [text_of(bench.log, job) for job in jobs] == ["abc", "d", ""]
    assert {kind for _, kind, _ in bench.log.ends} == {"finished"}
    assert bench.log.ends[0][2].result == {"texts": 3}


def test_every_signal_comes_on_the_threads_of_the_window_even_to_a_lambda(
    qtbot: QtBot, bench: Bench
) -> None:
    bench.run(qtbot, writes("a"), raises(RuntimeError("x")))
    assert bench.log.threads == {QThread.currentThread()}


def test_a_flood_of_tokens_is_joined(qtbot: QtBot, bench: Bench) -> None:
    (job,) = bench.run(qtbot, writes(*["x"] * 5000))
    assert text_of(bench.log, job) == "x" * 5000
    assert len(bench.log.events) < 500


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CheckpointError("broken"), CheckpointError),
        (RuntimeError("out of memory, says torch"), EngineError),
        (MemoryError(), OutOfMemoryError),
        (KeyboardInterrupt(), EngineError),
        (SystemExit(3), EngineError),
        (BaseException("a panic in Rust"), EngineError),
        (StopIteration(), EngineError),
    ],
)
def test_whatever_is_raised_ends_the_job_once_and_the_next_one_runs(
    qtbot: QtBot, bench: Bench, error: BaseException, kind: type
) -> None:
    failed, fine = bench.run(qtbot, raises(error), writes("on"))
    assert bench.log.kinds() == {failed: "failed", fine: "finished"}
    assert type(bench.log.ends[0][2]) is kind
    assert text_of(bench.log, failed) == "before"


def test_a_run_that_never_finishes_properly_is_a_failure(qtbot: QtBot, bench: Bench) -> None:
    def half(cancel: CancelFlag) -> Iterator[Event]:
        yield Text("half")

    (job,) = bench.run(qtbot, half)
    assert bench.log.kinds() == {job: "failed"}


def test_cancel_ends_the_running_job_and_keeps_its_figures(qtbot: QtBot, bench: Bench) -> None:
    started = threading.Event()
    job = bench.worker.submit(waits(started))
    assert started.wait(5)
    bench.worker.cancel(job)
    qtbot.waitUntil(lambda: bool(bench.log.ends))
    assert bench.log.kinds() == {job: "cancelled"}
    assert any(isinstance(e, Finished) and e.stats.new_tokens == 3 for _, e in bench.log.events)


def test_cancel_of_a_waiting_job_means_that_it_never_starts(qtbot: QtBot, bench: Bench) -> None:
    started, ran = threading.Event(), threading.Event()

    def never(cancel: CancelFlag) -> Iterator[Event]:
        ran.set()
        yield Finished()

    first = bench.worker.submit(waits(started))
    second = bench.worker.submit(never)
    bench.worker.cancel(second)
    bench.worker.cancel(first)
    qtbot.waitUntil(lambda: len(bench.log.ends) == 2)
    assert bench.log.kinds() == {first: "cancelled", second: "cancelled"}
    assert not ran.is_set()


def test_a_cancelled_load_counts_as_cancelled(qtbot: QtBot, bench: Bench) -> None:
    (job,) = bench.run(qtbot, raises(Cancelled()))
    assert bench.log.kinds() == {job: "cancelled"}


def test_a_runner_that_cannot_be_made_fails_the_job_and_is_tried_again(qtbot: QtBot) -> None:
    attempts: list[int] = []

    def make() -> ScriptRunner:
        attempts.append(1)
        if len(attempts) == 1:
            raise ImportError("no torch here")
        return ScriptRunner()

    worker = EngineWorker(make)
    bench = Bench(worker, Log(worker))
    first, second = bench.run(qtbot, writes("a"), writes("b"))
    assert bench.log.kinds() == {first: "failed", second: "finished"}
    assert worker.close()


def test_close_ends_running_and_waiting_jobs_and_the_thread(qtbot: QtBot) -> None:
    worker = EngineWorker(ScriptRunner)
    log = Log(worker)
    started = threading.Event()
    jobs = [worker.submit(waits(started)), worker.submit(writes("never"))]
    assert started.wait(5)
    assert worker.close()
    assert log.kinds() == dict.fromkeys(jobs, "cancelled")
    assert worker.open_jobs == frozenset()


def test_close_does_not_wait_for_ever_for_a_job_that_ignores_its_flag(qtbot: QtBot) -> None:
    started, release = threading.Event(), threading.Event()

    def deaf(cancel: CancelFlag) -> Iterator[Event]:
        started.set()
        release.wait(30)
        yield Finished()

    worker = EngineWorker(ScriptRunner)
    log = Log(worker)
    job = worker.submit(deaf)
    assert started.wait(5)
    assert not worker.close(seconds=0.05)
    assert log.kinds() == {job: "cancelled"}
    release.set()


def test_two_thousand_emits_of_a_boolean_do_not_kill_the_interpreter(qtbot: QtBot) -> None:
    """PySide6 6.12.0 drops a reference to True on each emit and aborts after some 500."""
    from PySide6.QtCore import Signal

    class Emitter(QObject):
        said = Signal(bool)

    emitter, heard = Emitter(), []
    emitter.said.connect(heard.append)
    for _ in range(2000):
        emitter.said.emit(True)
    assert len(heard) == 2000
