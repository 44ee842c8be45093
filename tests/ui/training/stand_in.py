"""Stands in for `gptdesk finetune … --json`: prints the lines it would, without any model.

    python stand_in.py MODE finetune MODEL DATA... --out FOLDER …

MODE: "done" runs through, "copies" too, and its report sounds the alarm; "hold" waits after some
steps until it is asked to stop, "loading" before it listens to such a wish, "go" until there is a file FOLDER.go;
"late" is stopped while it measures a result that stands; "diverged"; "refused" ends with an error.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from gptdesk.cancel import CancelFlag
from gptdesk.training.events import (
    CheckpointSaved,
    Evaluated,
    FinetuneReport,
    StageProgress,
    StageStarted,
    StepDone,
    TrainingEvent,
    TrainingFailed,
    TrainingFinished,
    TrainingWarning,
    to_json,
)
from gptdesk.training.stop_signals import cancelled_by_signals

STEPS = 20
HELD_AT = 10
COPIED = "the tide had gone out further than anyone could remember"


def main(mode: str, out: str) -> int:
    """Play one run."""
    say(StageStarted("examples", "3 documents"))
    if mode == "loading":
        time.sleep(60)
    with cancelled_by_signals() as cancel:
        return _play(mode, out, cancel)


def _play(mode: str, out: str, cancel: CancelFlag) -> int:
    if mode == "refused":
        say(TrainingFailed("There is no text to learn from.", "Name other files.", "details"))
        return 1
    say(StageProgress("examples", 1, 2))
    say(TrainingWarning("1 examples were left out: they are longer than the context."))
    say(StageStarted("finetune"))
    say(Evaluated(0, 4.1))
    for step in range(1, STEPS + 1):
        say(StepDone(step, STEPS, 4 - step / 10, 1e-3, 0.5, 64 * step, 1200.0, 90.0 - step))
        if step == HELD_AT:
            say(Evaluated(step, 3.5))
            say(CheckpointSaved(step, f"{out}.work/step"))
            if _waits(mode, out, cancel):
                say(TrainingFinished("cancelled", step, 3.0, f"{out}.work/step"))
                return 130
            if mode == "diverged":
                say(TrainingFinished("diverged", step, 3.0, f"{out}.work/step"))
                return 1
    say(StageStarted("save"))
    say(StageStarted("report"))
    if mode == "late":
        say(TrainingFinished("cancelled", STEPS, 2.0, out))
        return 130
    words, alarm = (10, "Samples repeat the text.") if mode == "copies" else (0, "")
    say(
        FinetuneReport(
            f"{out}/REPORT.md", "lora", 57.3, 33.9, 1.9, 1.5, 900, words, COPIED[: 9 * words], alarm
        )
    )
    say(TrainingFinished("done", STEPS, 2.0, out))
    return 0


def _waits(mode: str, out: str, cancel: CancelFlag) -> bool:
    """Wait in the modes that do; whether it was asked to stop."""
    is_over: Callable[[], bool] = {"hold": lambda: False, "go": Path(f"{out}.go").exists}.get(
        mode, lambda: True
    )
    while not is_over() and not cancel.is_set():
        time.sleep(0.01)
    return cancel.is_set()


def say(event: TrainingEvent) -> None:
    """Print an event as the command does."""
    print(to_json(event), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[sys.argv.index("--out") + 1]))
