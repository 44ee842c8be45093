"""Training in a child process: every run ends in exactly one terminal event."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gptdesk.training.events import (
    StepDone,
    TrainingEvent,
    TrainingFailed,
    TrainingFinished,
    to_json,
)
from gptdesk.training.remote import RemoteTraining

STEP = to_json(StepDone(1, 9, 4.5, 1e-3, 0.7, 64, 900.0))
DONE = to_json(TrainingFinished("done", 9, 2.5, "somewhere"))
FAILED = to_json(TrainingFailed("Nothing to train on.", "Give some text."))
WAITS = """
import time
from gptdesk.training.stop_signals import cancelled_by_signals
with cancelled_by_signals() as cancel:
    print(STEP, flush=True)
    while not cancel.is_set():
        time.sleep(0.01)
print(END, flush=True)
"""


def remote(code: str, **changes: float) -> RemoteTraining:
    """A child that runs Python code in place of `gptdesk train`."""
    return RemoteTraining(
        [code], threads=1, command=(sys.executable, "-c"), **{"patience": 20.0, **changes}
    )


def printing(*lines: str, then: str = "") -> list[TrainingEvent]:
    code = "\n".join(f"print({line!r}, flush=True)" for line in lines)
    return list(remote(f"{code}\n{then}").events())


def terminals(events: list[TrainingEvent]) -> list[TrainingEvent]:
    return [event for event in events if isinstance(event, TrainingFinished | TrainingFailed)]


def test_events_come_through_and_other_lines_do_not() -> None:
    events = printing("a stray line", STEP, '{"event": "Unknown"}', "[1]", "7", DONE, STEP)
    assert [to_json(event) for event in events] == [STEP, DONE]


def test_an_error_comes_through() -> None:
    assert [to_json(event) for event in printing(FAILED, then="exit(1)")] == [FAILED]


@pytest.mark.parametrize(
    "then",
    ["exit(3)", "raise ValueError('the reason')", "import os; os.kill(os.getpid(), 9)"],
)
def test_a_child_that_dies_is_a_failure(then: str) -> None:
    events = printing(STEP, then=then)
    assert terminals(events) == events[-1:]
    (failed,) = terminals(events)
    assert isinstance(failed, TrainingFailed)
    assert "the reason" in failed.details or "ValueError" not in then


def test_a_command_that_cannot_be_started_is_a_failure() -> None:
    run = RemoteTraining([], threads=1, command=("/nowhere/python",))
    (failed,) = run.events()
    assert isinstance(failed, TrainingFailed)


def test_a_cancelled_child_ends_by_itself() -> None:
    end = to_json(TrainingFinished("cancelled", 1, 4.5, "step-1"))
    run = remote(WAITS.replace("STEP", repr(STEP)).replace("END", repr(end)))
    events = []
    for event in run.events():
        events.append(to_json(event))
        run.cancel()
    assert events == [STEP, end]


def test_a_child_that_was_made_to_go_is_told_from_one_that_died() -> None:
    run = remote(f"import time; print({STEP!r}, flush=True); time.sleep(60)")
    for _ in run.events():
        run.kill()
    assert run.interrupted
    died = remote("exit(3)")
    list(died.events())
    assert not died.interrupted


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has priority classes")
def test_the_child_gives_way_to_whatever_else_runs() -> None:
    code = "import os, time; time.sleep(0.2); exit(os.getpriority(os.PRIO_PROCESS, 0))"
    own = os.getpriority(os.PRIO_PROCESS, 0)
    (failed,) = remote(code).events()
    assert f"(code {max(own, 10)})" in failed.title


def test_cancelling_before_the_start_counts() -> None:
    run = remote("import time; time.sleep(60)")
    run.cancel()
    (failed,) = run.events()
    assert isinstance(failed, TrainingFailed)


def test_a_child_that_does_not_listen_is_killed_when_nobody_reads_on() -> None:
    deaf = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print({STEP!r}, flush=True); time.sleep(60)"
    run = remote(deaf, patience=0.2)
    events = run.events()
    next(events)
    start = time.monotonic()
    events.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 30


def test_it_runs_beside_a_thread_that_cancels() -> None:
    end = to_json(TrainingFinished("cancelled", 1, 4.5, "step-1"))
    run = remote(WAITS.replace("STEP", repr(STEP)).replace("END", repr(end)))
    timer = threading.Timer(0.3, run.cancel)
    timer.start()
    events = list(run.events())
    timer.join()
    assert len(terminals(events)) == 1


def test_a_real_command_reports_its_mistake(tmp_path: Path) -> None:
    config = tmp_path / "train.toml"
    config.write_text("[data]\ntrian = []\n")
    (failed,) = RemoteTraining(["train", str(config), "--json"], threads=1).events()
    assert isinstance(failed, TrainingFailed)


def test_the_class_needs_no_torch() -> None:
    code = "import sys, gptdesk.training.remote; exit('torch' in sys.modules or 'numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
