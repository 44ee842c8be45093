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
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.model.memory import memory_errors
from gptdesk.training.allocation import keeping_freed_memory
from gptdesk.training.batches import IGNORED, Batches
from gptdesk.training.checkpoint import CheckpointStore, DamagedCheckpoint
from gptdesk.training.clock import RunClock
from gptdesk.training.distributed import Processes, alone, local_gradients, spread, whole
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
from gptdesk.training.micro_batches import MicroBatch, cut
from gptdesk.training.optimizer import Optimizers
from gptdesk.training.plots import draw_loss
from gptdesk.training.schedule import rate
from gptdesk.training.settings import TrainerSettings

CHECKPOINTS = "checkpoints"
_STATE_VERSION = 1


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
class _Outcome:
    """What one step gave: mean loss over all targets, norm of the gradient, share of the rate."""

    loss: float
    grad_norm: float
    factor: float

    @property
    def is_good(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


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
        self._clock = RunClock(settings.max_steps, settings.max_minutes)
        self._saved_step = self._evaluated_step = -1

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
            self._set_up()
            for event in self._resume():
                yield from self._told(event)
            log = self._open_log(stack)
            for event in self._train():
                if log is not None and isinstance(event, StepDone | Evaluated):
                    log.write(event)
                yield from self._told(event)

    def weights(self) -> dict[str, Tensor]:
        """The trained parameters, whole and on the CPU; every process must ask."""
        return {name: whole(p.detach()).cpu() for name, p in self._trained()}

    def _told(self, event: TrainingEvent) -> Iterator[TrainingEvent]:
        if self._processes.is_first or isinstance(event, TrainingFinished):
            yield event

    def _set_up(self) -> None:
        self._gpt.to(self._processes.device)
        for _, p in self._trained():
            p.data = p.data.float()
        self._module = spread(self._gpt, self._settings, self._processes)
        self._optimizers = Optimizers(self._gpt, self._settings)

    def _open_log(self, stack: contextlib.ExitStack) -> MetricsLog | None:
        if not self._processes.is_first:
            return None
        board = self._settings.tensorboard
        log = MetricsLog(self._folder, self._done.step, tensorboard=board)
        stack.callback(log.close)
        return log

    def _trained(self) -> list[tuple[str, nn.Parameter]]:
        return [(name, p) for name, p in self._gpt.named_parameters() if p.requires_grad]

    # Resuming and saving

    def _tensors(self) -> dict[str, Tensor]:
        weights = {f"weight/{name}": p.detach() for name, p in self._trained()}
        return weights | self._optimizers.state()

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
                self._store.read_tensors(step, self._tensors())
            except DamagedCheckpoint as error:
                yield TrainingWarning(f"The checkpoint of step {step} cannot be used: {error}")
                continue
            self._done = _Progress(**state["progress"])
            self._optimizers.set_steps(self._done.step)
            self._clock = self._new_clock(used=state["seconds"])
            self._saved_step = self._done.step
            return
        self._clock = self._new_clock()

    def _new_clock(self, used: float = 0.0) -> RunClock:
        return RunClock(self._settings.max_steps, self._settings.max_minutes, used)

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

    def _save(self) -> Iterator[TrainingEvent]:
        """Save a checkpoint of the current step, unless there is one.

        Raises:
            TrainingError: it cannot be written.
        """
        if self._saved_step == self._done.step:
            return
        start = time.monotonic()
        state = {
            "identity": self._identity(),
            "progress": dataclasses.asdict(self._done),
            "seconds": self._clock.elapsed(),
        }
        path = self._store.save(self._done.step, self._tensors(), state)
        self._saved_step = self._done.step
        if self._processes.is_first:
            draw_loss(self._folder)
        self._clock.note_saving(time.monotonic() - start)
        yield CheckpointSaved(self._done.step, str(path))

    def _try_to_save(self) -> Iterator[TrainingEvent]:
        """Save in the middle of a run, which goes on where that fails."""
        try:
            yield from self._save()
        except TrainingError as error:
            yield TrainingWarning(f"{error.title} {error.hint} ({error.details})")

    # The loop

    def _train(self) -> Iterator[TrainingEvent]:
        last_save = announced = self._clock.elapsed()
        announced_tokens = self._done.tokens
        reason = None
        while reason is None:
            elapsed, cancelled = self._agree()
            if reason := self._reason_to_end(elapsed, cancelled):
                break
            outcome = self._step(elapsed)
            if outcome is None:
                continue  # cancelled between micro-batches: the next look will tell
            if not outcome.is_good:
                yield from self._diverged(outcome)
                return
            self._done.recent.append(outcome.loss)
            if self._done.step % self._settings.log_steps == 0:
                now = self._clock.elapsed()
                speed = (self._done.tokens - announced_tokens) / max(now - announced, 1e-9)
                yield self._announcement(outcome, speed, now)
                announced, announced_tokens = now, self._done.tokens
            if _is_due(self._done.step, self._settings.eval_steps):
                yield from self._evaluate()
            if self._is_save_due(elapsed - last_save):
                yield from self._try_to_save()
                last_save = self._clock.elapsed()
        yield from self._end(reason)

    def _agree(self) -> tuple[float, bool]:
        """Seconds elapsed and whether somebody cancelled, the same in every process."""
        elapsed = self._clock.elapsed() if self._processes.is_first else 0.0
        elapsed, cancelled = self._processes.sums([elapsed, float(self._cancel.is_set())])
        return elapsed, cancelled > 0

    def _reason_to_end(self, elapsed: float, cancelled: bool) -> FinishReason | None:
        if self._settings.max_steps is not None and self._done.step >= self._settings.max_steps:
            return "done"
        if cancelled:
            return "cancelled"
        return "time" if self._clock.is_up(elapsed) else None

    def _end(self, reason: FinishReason) -> Iterator[TrainingEvent]:
        if reason != "cancelled":
            yield from self._evaluate()
        yield from self._save()
        yield self._finished(reason)

    def _diverged(self, outcome: _Outcome) -> Iterator[TrainingEvent]:
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

    def _is_save_due(self, seconds: float) -> bool:
        minutes = self._settings.checkpoint_minutes
        by_time = minutes is not None and seconds >= minutes * 60
        return by_time or _is_due(self._done.step, self._settings.checkpoint_steps)

    def _announcement(self, outcome: _Outcome, speed: float, now: float) -> StepDone:
        done = self._done
        loss = sum(done.recent) / len(done.recent)
        done.last_loss, done.recent = loss, []
        return StepDone(
            step=done.step,
            total_steps=self._clock.total_steps(done.step, now),
            loss=loss,
            learning_rate=outcome.factor * self._settings.learning_rate,
            grad_norm=outcome.grad_norm,
            tokens=done.tokens,
            tokens_per_second=speed,
            seconds_left=self._clock.seconds_left(done.step, now),
        )

    # One step

    def _step(self, elapsed: float) -> _Outcome | None:
        """Make one optimiser step; None, and nothing done, when cancelled in the middle.

        A loss or gradient that is no number changes nothing either.
        """
        start = time.monotonic()
        step, world = self._done.step, self._processes.world
        pieces, targets = self._pieces(self._batches, step)
        self._module.train()
        total = torch.zeros((), device=self._processes.device)
        with self._random_numbers_of(step):
            for number, piece in enumerate(pieces, 1):
                if world == 1 and self._cancel.is_set():
                    self._optimizers.drop_gradients()
                    return None
                with local_gradients(self._module, local=number < len(pieces)):
                    # Several processes average their gradients; the mean is over all targets.
                    loss = self._loss(piece) * (world / max(targets, 1.0))
                    loss.backward()  # type: ignore[no-untyped-call]
                total += loss.detach()
        (summed,) = self._processes.sums([float(total)])
        norm = self._clip()
        factor = rate(self._settings, step, self._clock.progress(step, elapsed))
        outcome = _Outcome(summed / world, norm, factor)
        if outcome.is_good:
            self._optimizers.step(factor)
            self._done.step += 1
            self._done.tokens += self._batches.global_rows * self._batches.context_length
        self._clock.note_step(time.monotonic() - start)
        return outcome

    def _pieces(self, batches: Batches, step: int) -> tuple[list[MicroBatch], float]:
        """Micro-batches of this process, and the targets of all processes' together."""
        rank, world = self._processes.rank, self._processes.world
        batch = batches.batch(step, rank, world)
        (targets,) = self._processes.sums([float((batch.targets != IGNORED).sum())])
        most_rows = -(-batches.global_rows // world)
        masked = self._settings.mask_documents
        pieces = cut(batch, most_rows, self._settings.micro_rows, segments=masked)
        return pieces, targets

    def _loss(self, piece: MicroBatch) -> Tensor:
        device = self._processes.device
        segments = None if piece.segments is None else piece.segments.to(device)
        loss: Tensor = self._module(piece.inputs.to(device), piece.targets.to(device), segments)
        return loss

    def _clip(self) -> float:
        parameters = [p for _, p in self._trained()]
        largest = self._settings.grad_clip or math.inf
        return float(whole(nn.utils.clip_grad_norm_(parameters, largest)))

    @contextlib.contextmanager
    def _random_numbers_of(self, step: int) -> Iterator[None]:
        """Dropout as a function of the step; the caller's random numbers stay as they were."""
        device = self._processes.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            seed = (self._settings.seed, step, self._processes.rank)
            torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
            yield

    @torch.no_grad()
    def _evaluate(self) -> Iterator[TrainingEvent]:
        """Measure the loss on held-out text, if there is any and this step was not measured."""
        if self._held_out is None or self._evaluated_step == self._done.step:
            return
        self._evaluated_step = self._done.step
        self._module.eval()
        rows = min(self._held_out.rows_per_epoch, self._settings.eval_rows)
        total = counted = 0.0
        for step in range(-(-rows // self._held_out.global_rows)):
            pieces, targets = self._pieces(self._held_out, step)
            total += float(sum(self._loss(piece) for piece in pieces))
            counted += targets
        (total,) = self._processes.sums([total])
        loss = total / max(counted, 1.0)
        per_token = self._held_out.bytes_per_token
        bits = loss / math.log(2) / per_token if per_token else None
        yield Evaluated(self._done.step, loss, bits)


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
