"""How training goes, on stderr: a bar on a terminal, now and then a line in a log."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Iterable, Iterator

from gptdesk.errors import GptDeskError
from gptdesk.training.events import (
    CheckpointSaved,
    Evaluated,
    StageProgress,
    StageStarted,
    StepDone,
    TrainingEvent,
    TrainingFailed,
    TrainingWarning,
    to_json,
)

_BAR_WIDTH = 20
_LOG_SECONDS = 30.0


def told(
    events: Iterable[TrainingEvent], line: TrainingLine, *, as_json: bool, tells: bool = True
) -> Iterator[TrainingEvent]:
    """Pass events on, each shown and, where asked for, written to stdout as a line of JSON.

    Args:
        events: of one training; what they raise is written as a last line, and raised.
        line: cleared when they end.
        as_json: write them.
        tells: False in those processes of `torchrun` that leave the telling to the first.
    """
    try:
        for event in events:
            if as_json and tells:
                print(to_json(event), flush=True)
            line.show(event)
            yield event
    except GptDeskError as error:
        if as_json:
            print(to_json(TrainingFailed(error.title, error.hint, error.details)), flush=True)
        raise
    finally:
        line.clear()


class TrainingLine:
    """Shows events on stderr as they come.

    Args:
        quiet: show nothing but warnings.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._stage = ""
        self._shown = 0
        self._held_out = ""
        self._logged = -math.inf

    def show(self, event: TrainingEvent) -> None:
        """Show one event."""
        if isinstance(event, TrainingWarning):
            self._print(f"gptdesk: warning: {event.message}")
        elif self._quiet:
            return
        elif isinstance(event, StageStarted):
            self._stage, self._held_out, self._logged = event.stage, "", -math.inf
            self._print(f"{event.stage}: {event.detail}" if event.detail else event.stage)
        elif isinstance(event, Evaluated):
            self._held_out = held_out_text(event)
            self._print(f"  step {event.step:,}: {self._held_out}")
        elif isinstance(event, CheckpointSaved):
            self._draw(f"{self._stage}  checkpoint of step {event.step:,} saved")
        elif isinstance(event, StageProgress):
            self._tell(stage_text(event))
        elif isinstance(event, StepDone):
            self._tell(step_text(self._stage, event))

    def clear(self) -> None:
        """Take the bar away, so that text can come."""
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0

    def _tell(self, text: str) -> None:
        """Draw a bar, or log it when some time has passed since the last line."""
        if self._terminal:
            self._draw(text)
        elif time.monotonic() - self._logged >= _LOG_SECONDS:
            self._logged = time.monotonic()
            self._print(text)

    def _draw(self, text: str) -> None:
        if not self._terminal:
            return
        text = text[: max(20, shutil.get_terminal_size().columns - 1)]
        sys.stderr.write("\r" + text.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(text)

    def _print(self, text: str) -> None:
        self.clear()
        print(text, file=sys.stderr, flush=True)


def step_text(stage: str, event: StepDone) -> str:
    """One line about a step: bar, loss, speed and the time that is left."""
    share = event.step / event.total_steps if event.total_steps else 0.0
    total = f"/{event.total_steps:,}" if event.total_steps else ""
    left = "" if event.seconds_left is None else f"  {duration(event.seconds_left)} left"
    return (
        f"{stage}  {bar(share)} {share:4.0%}  step {event.step:,}{total}  loss {event.loss:.3f}"
        f"  {event.tokens_per_second:,.0f} tok/s{left}"
    )


def stage_text(event: StageProgress) -> str:
    """One line about a stage that is no training."""
    if not event.total:
        return f"{event.stage}  {event.done:,} {event.detail}"
    share = event.done / event.total
    return f"{event.stage}  {bar(share)} {share:4.0%}  {event.detail}"


def held_out_text(event: Evaluated) -> str:
    """The figures of a measurement."""
    bits = "" if event.bits_per_byte is None else f", {event.bits_per_byte:.3f} bits per byte"
    return f"held-out loss {event.loss:.3f}{bits}"


def bar(share: float) -> str:
    """A bar that is filled to a share from 0 to 1."""
    filled = round(min(max(share, 0.0), 1.0) * _BAR_WIDTH)
    return "█" * filled + "░" * (_BAR_WIDTH - filled)


def duration(seconds: float) -> str:
    """Hours, minutes and seconds as 1:02:03."""
    whole = max(0, round(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
