"""The trainer: minimises a GPT's loss, says how it goes, and can be killed at any moment.

    resume ─► ┌─ batch(step) ─► micro-batches: forward, backward ─► clip ─► optimiser step ─┐ ─► save
              └──────────── log · evaluate · checkpoint · cancelled? · time up? ◄───────────┘

Everything a step depends on is the weights, the optimiser's state and the number of the step:
batches and dropout are functions of it. A run that was interrupted therefore goes on as if it
never had been.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.model.memory import memory_errors
from gptdesk.training.allocation import keeping_freed_memory
from gptdesk.training.batches import Batches
from gptdesk.training.checkpoint import CheckpointStore, DamagedCheckpoint
from gptdesk.training.clock import RunClock
from gptdesk.training.distributed import Processes, alone, whole
from gptdesk.training.events import (
    CheckpointSaved,
    Evaluated,
    FinishReason,
    StepDone,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.training.metrics import MetricsLog
from gptdesk.training.plots import draw_loss
from gptdesk.training.schedule import rate
from gptdesk.training.settings import TrainerSettings
from gptdesk.training.shards import unwritable
from gptdesk.training.step import Outcome, Stepper

CHECKPOINTS = "checkpoints"
_STATE_VERSION = 1
_DRAWING_INTERVAL = 60.0
"""Seconds between two drawings of the loss curve."""


@dataclass(slots=True)
class _Progress:
    """What a run has done so far; saved with each checkpoint.

    Attributes:
        step: optimiser steps made.
        tokens: input tokens seen by all processes.
        recent: losses since the last `StepDone`.
        last_loss: the mean that the last one announced; None before there was one.
    """

    step: int = 0
    tokens: int = 0
    recent: list[float] = field(default_factory=list)
    last_loss: float | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """Where a run is: seconds elapsed, share of the run that is over, reasons to end it."""

    elapsed: float
    progress: float
    is_up: bool
    is_cancelled: bool


class Trainer:
    """Trains the parameters of a GPT that require gradients.

    Args:
        model: changed in place. Trained weights are float32; on several processes that share one
            model its parameters become parts, and `weights` puts them together.
        batches: one for each step.
        settings: how.
        folder: gets checkpoints, metrics.jsonl and loss.png; a run that was interrupted there
            goes on.
        cancel: polled between micro-batches.
        processes: from `distributed.joined`; None for this one alone.
        held_out: text to evaluate on.
    """

    def __init__(
        self,
        model: GPT,
        batches: Batches,
        settings: TrainerSettings,
        folder: Path,
        cancel: CancelFlag | None = None,
        *,
        processes: Processes | None = None,
        held_out: Batches | None = None,
    ) -> None:
        self._gpt = model
        self._batches = batches
        self._settings = settings
        self._folder = folder
        self._cancel = cancel or NEVER
        self._processes = processes or alone(settings.device)
        self._held_out = held_out
        self._store = CheckpointStore(folder / CHECKPOINTS, settings.keep, self._processes)
        self._done = _Progress()
        self._clock = self._new_clock()
        self._saved_step = self._evaluated_step = -1
        self._drawn_at = 0.0

    def run(self) -> Iterator[TrainingEvent]:
        """Train to the end, or on from the newest checkpoint in the folder.

        Yields:
            Events; the last is `TrainingFinished`. Only the first process yields any others.

        Raises:
            TrainingError: the checkpoints are of another run, or the last one cannot be written.
            OutOfMemoryError: model, optimiser or a step do not fit.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(keeping_freed_memory())
            stack.enter_context(_threads(self._settings.threads))
            stack.enter_context(memory_errors("to train the model"))
            self._stepper = Stepper(self._gpt, self._settings, self._processes, self._cancel)
            for event in self._resume():
                yield from self._told(event)
            log = self._open_log(stack)
            for event in self._train():
                if log is not None and isinstance(event, StepDone | Evaluated):
                    yield from log.write(event)
                yield from self._told(event)

    def weights(self) -> dict[str, Tensor]:
        """The trained parameters, whole and on the CPU; every process must ask."""
        parameters = self._stepper.parameters()
        return {name: whole(p.detach()).cpu() for name, p in parameters.items()}

    def _told(self, event: TrainingEvent) -> Iterator[TrainingEvent]:
        if self._processes.is_first or isinstance(event, TrainingFinished):
            yield event

    def _open_log(self, stack: contextlib.ExitStack) -> MetricsLog | None:
        if not self._processes.is_first:
            return None
        board = self._settings.tensorboard
        try:
            log = MetricsLog(self._folder, self._done.step, tensorboard=board)
        except OSError as error:
            raise unwritable(self._folder, error) from error
        stack.callback(log.close)
        return log

    # Resuming and saving

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        return {
            "version": _STATE_VERSION,
            "optimizer": self._settings.optimizer,
            "seed": self._settings.seed,
            "global_rows": self._batches.global_rows,
            "context_length": self._batches.context_length,
        }

    def _resume(self) -> Iterator[TrainingEvent]:
        self._store.clean()
        for step in reversed(self._store.steps()):
            try:
                state = self._store.read_state(step)
                self._check_identity(step, state.get("identity"))
                done, seconds = _read_progress(state)
                self._store.read_tensors(step, self._stepper.tensors())
            except DamagedCheckpoint as error:
                yield TrainingWarning(f"The checkpoint of step {step} cannot be used: {error}")
                continue
            self._done = done
            self._stepper.go_on_from(done.step)
            self._clock = self._new_clock(used=seconds)
            self._saved_step = self._done.step
            return
        self._clock = self._new_clock()

    def _new_clock(self, used: float = 0.0) -> RunClock:
        limits = self._settings.max_steps, self._settings.max_minutes
        # Measuring needs no backward pass: a third of a step's time for the same rows.
        rows = self._evaluation_rows() / self._batches.global_rows
        return RunClock(*limits, used=used, closing_steps=rows / 3)

    def _evaluation_rows(self) -> int:
        held_out = self._held_out
        return min(held_out.rows_per_epoch, self._settings.eval_rows) if held_out else 0

    def _check_identity(self, step: int, theirs: object) -> None:
        ours = self._identity()
        if not isinstance(theirs, dict):
            raise DamagedCheckpoint("it does not say of which run it is")
        for key, value in ours.items():
            if theirs.get(key) != value:
                raise TrainingError(
                    f"The checkpoint {self._store.path(step)} is of another run: "
                    f"{key} was {theirs.get(key)!r} and is {value!r}.",
                    "Restore the setting, choose another folder, or remove the checkpoint.",
                )

    def _save(self, *, at_end: bool = False) -> Iterator[TrainingEvent]:
        """Save a checkpoint of the current step, unless there is one.

        Raises:
            TrainingError: it cannot be written.
        """
        if self._saved_step == self._done.step:
            return
        start = self._clock.elapsed()
        state = {
            "identity": self._identity(),
            "progress": dataclasses.asdict(self._done),
            "seconds": start,
        }
        path = self._store.save(self._done.step, self._stepper.tensors(), state)
        self._saved_step = self._done.step
        if self._processes.is_first and (at_end or start - self._drawn_at > _DRAWING_INTERVAL):
            self._drawn_at = start
            with contextlib.suppress(OSError):  # a picture is no reason to stop
                draw_loss(self._folder)
        self._clock.note_saving(self._clock.elapsed() - start)
        yield CheckpointSaved(self._done.step, str(path))

    def _try_to_save(self) -> Iterator[TrainingEvent]:
        """Save in the middle of a run, which goes on where that fails."""
        try:
            yield from self._save()
        except TrainingError as error:
            problem = f"{error.title} {error.hint}"
            yield TrainingWarning(f"Training goes on unsaved ({error.details}): {problem}")

    # The loop

    def _train(self) -> Iterator[TrainingEvent]:
        look = self._look()
        self._saved_at, self._announced = look.elapsed, (self._clock.elapsed(), self._done.tokens)
        while (reason := self._reason_to_end(look)) is None:
            factor = rate(self._settings, self._done.step, look.progress)
            start = self._clock.elapsed()
            outcome = self._stepper.make(self._batches, self._done.step, factor)
            if outcome is not None:  # else cancelled, which the next look will tell
                if not outcome.is_good:
                    yield from self._diverged(outcome)
                    return
                self._clock.note_step(self._clock.elapsed() - start)
                yield from self._after_step(outcome, factor, look)
            look = self._look()
        yield from self._end(reason)

    def _after_step(self, outcome: Outcome, factor: float, look: _Look) -> Iterator[TrainingEvent]:
        done, settings = self._done, self._settings
        done.step += 1
        done.tokens += self._batches.global_rows * self._batches.context_length
        done.recent.append(outcome.loss)
        if done.step % settings.log_steps == 0:
            yield self._announcement(outcome, factor)
        if _is_due(done.step, settings.eval_steps):
            yield from self._evaluate()
        minutes = settings.checkpoint_minutes
        by_time = minutes is not None and look.elapsed - self._saved_at >= minutes * 60
        if by_time or _is_due(done.step, settings.checkpoint_steps):
            self._saved_at = look.elapsed
            yield from self._try_to_save()

    def _look(self) -> _Look:
        """Where the run is before the next step, as the first process sees it."""
        elapsed, step = self._clock.elapsed(), self._done.step
        seen = [elapsed, self._clock.progress(step, elapsed), float(self._clock.is_up(elapsed))]
        if not self._processes.is_first:
            seen = [0.0, 0.0, 0.0]
        elapsed, progress, is_up, cancelled = self._processes.sums(
            [*seen, float(self._cancel.is_set())]
        )
        return _Look(elapsed, progress, is_up > 0, cancelled > 0)

    def _reason_to_end(self, look: _Look) -> FinishReason | None:
        if self._settings.max_steps is not None and self._done.step >= self._settings.max_steps:
            return "done"
        if look.is_cancelled:
            return "cancelled"
        return "time" if look.is_up else None

    def _end(self, reason: FinishReason) -> Iterator[TrainingEvent]:
        if reason != "cancelled":
            yield from self._evaluate()
        yield from self._save(at_end=True)
        yield self._finished(reason)

    def _diverged(self, outcome: Outcome) -> Iterator[TrainingEvent]:
        kept = self._store.newest()
        saved = f"The last good checkpoint is {kept}." if kept else "There is no checkpoint yet."
        yield TrainingWarning(
            f"Step {self._done.step + 1} gave a loss of {outcome.loss} and a gradient of norm "
            f"{outcome.grad_norm}, so training stopped. {saved} A lower learning rate may help."
        )
        yield self._finished("diverged")

    def _finished(self, reason: FinishReason) -> TrainingFinished:
        recent = self._done.recent
        loss = sum(recent) / len(recent) if recent else self._done.last_loss
        return TrainingFinished(
            reason, self._done.step, math.nan if loss is None else loss, self._store.newest()
        )

    def _announcement(self, outcome: Outcome, factor: float) -> StepDone:
        done, now = self._done, self._clock.elapsed()
        loss = sum(done.recent) / len(done.recent)
        done.last_loss, done.recent = loss, []
        before, tokens = self._announced
        self._announced = now, done.tokens
        return StepDone(
            step=done.step,
            total_steps=self._clock.total_steps(done.step, now),
            loss=loss,
            learning_rate=factor * self._settings.learning_rate,
            grad_norm=outcome.grad_norm,
            tokens=done.tokens,
            tokens_per_second=(done.tokens - tokens) / max(now - before, 1e-9),
            seconds_left=self._clock.seconds_left(done.step, now),
        )

    def _evaluate(self) -> Iterator[TrainingEvent]:
        """Measure the loss on held-out text, if there is any and this step was not measured."""
        if self._held_out is None or self._evaluated_step == self._done.step:
            return
        start = self._clock.elapsed()
        loss = self._stepper.measure(self._held_out, self._evaluation_rows())
        self._evaluated_step = self._done.step
        self._clock.note_evaluation(self._clock.elapsed() - start)
        per_token = self._held_out.bytes_per_token
        bits = loss / math.log(2) / per_token if per_token else None
        yield Evaluated(self._done.step, loss, bits)


def _read_progress(state: Mapping[str, Any]) -> tuple[_Progress, float]:
    """How far the run was, and the seconds it had taken."""
    try:
        return _Progress(**state["progress"]), float(state["seconds"])
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedCheckpoint("it does not say how far the run was") from error


def _is_due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0


@contextlib.contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
