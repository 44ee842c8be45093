"""What a run has told so far, put together: enough to show it at any moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from gptdesk.training.events import (
    Evaluated,
    FinetuneReport,
    StageProgress,
    StageStarted,
    StepDone,
    TrainingEvent,
    TrainingFailed,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.ui.training.curve import LossCurve


@dataclass
class TeachingProgress:
    """Grows with every event of one run.

    Attributes:
        stage: where the run is; "start" before the first event.
        done, total: how far this stage is; a total of 0 is unknown.
        step: the last announcement of steps.
        curve: the loss so far.
        warnings: what is wrong but does not stop it.
        report: what it brought, once that is known.
        end: how it ended; None while it runs.
    """

    stage: str = "start"
    done: int = 0
    total: int = 0
    step: StepDone | None = None
    curve: LossCurve = field(default_factory=LossCurve)
    warnings: list[str] = field(default_factory=list)
    report: FinetuneReport | None = None
    end: TrainingFinished | TrainingFailed | None = None

    @property
    def learning(self) -> bool:
        """Whether steps are being made just now."""
        return self.step is not None and self.stage == self._step_stage

    _step_stage: str = ""

    def add(self, event: TrainingEvent) -> None:
        """Take in one event."""
        match event:
            case StageStarted():
                self.stage, self.done, self.total = event.stage, 0, 0
            case StageProgress():
                self.stage, self.done, self.total = event.stage, event.done, event.total
            case StepDone():
                self.step, self._step_stage = event, self.stage
                self.done, self.total = event.step, event.total_steps
                self.curve.add(event.step, event.loss)
            case Evaluated():
                self.curve.add_held_out(event.step, event.loss)
            case TrainingWarning():
                self.warnings.append(event.message)
            case FinetuneReport():
                self.report = event
            case TrainingFinished() | TrainingFailed():
                self.end = event
            case _:
                pass  # checkpoints are the machine's business
