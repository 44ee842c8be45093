"""What training tells whoever watches: plain picklable data, importable without torch.

    StageStarted · (StageProgress | StepDone | Evaluated | CheckpointSaved | TrainingWarning)* · …
    … · [FinetuneReport] · TrainingFinished

A run that cannot go on raises a `GptDeskError` instead of its last event; where the run is
another process, `TrainingFailed` carries that error.
"""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Literal

FinishReason = Literal["done", "time", "cancelled", "diverged"]
"""Why training ended: all steps were made, the time budget was used up, the person stopped it,
or the loss was no longer a number."""


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """Base of all events of training."""


@dataclass(frozen=True, slots=True)
class StageStarted(TrainingEvent):
    """A stage begins.

    Attributes:
        stage: "collect", "tokenizer", "shards", "pretrain", "instruct", "evaluate", "save" …
        detail: a short text for the person, or "".
    """

    stage: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StageProgress(TrainingEvent):
    """How far a stage other than training itself is.

    Attributes:
        stage: the one that `StageStarted` named.
        done, total: counts in units of the stage; `total` is 0 when unknown.
        detail: a short text for the person, or "".
    """

    stage: str
    done: int
    total: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StepDone(TrainingEvent):
    """The optimiser has made steps; not every step is announced.

    Attributes:
        step: steps made so far.
        total_steps: steps of the whole run; an estimate under a time budget, 0 when unknown.
        loss: mean of the steps since the last announcement, in nats per target token.
        learning_rate: of the last step.
        grad_norm: before clipping, of the last step.
        tokens: input tokens seen since the run first began, all processes together.
        tokens_per_second: since the last announcement.
        seconds_left: until the last step; None when unknown.
    """

    step: int
    total_steps: int
    loss: float
    learning_rate: float
    grad_norm: float
    tokens: int
    tokens_per_second: float
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Evaluated(TrainingEvent):
    """The model was measured on text held out.

    Attributes:
        loss: nats per target token.
        bits_per_byte: None where nobody counted the bytes.
    """

    step: int
    loss: float
    bits_per_byte: float | None = None


@dataclass(frozen=True, slots=True)
class CheckpointSaved(TrainingEvent):
    """A checkpoint from which training could resume lies whole on the disk."""

    step: int
    path: str


@dataclass(frozen=True, slots=True)
class TrainingWarning(TrainingEvent):
    """Something is wrong and training goes on."""

    message: str


@dataclass(frozen=True, slots=True)
class FinetuneReport(TrainingEvent):
    """What a fine-tune brought; comes right before `TrainingFinished`.

    Attributes:
        path: REPORT.md, for people; report.json beside it holds the same and the samples.
        method: "lora" or "full".
        perplexity_before, perplexity_after: on text held out; None where none was.
        bits_per_byte_before, bits_per_byte_after: on the same text, or None.
        held_out_tokens: tokens of it.
        copied_words: longest run of words that a sample shares with the training text.
        copied_text: these words.
        alarm: what is to be said about copying, or "" when nothing is wrong.
    """

    path: str
    method: str
    perplexity_before: float | None
    perplexity_after: float | None
    bits_per_byte_before: float | None
    bits_per_byte_after: float | None
    held_out_tokens: int
    copied_words: int
    copied_text: str = ""
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class TrainingFinished(TrainingEvent):
    """The last event of every run that did not fail.

    Attributes:
        reason: why it ended.
        step: steps made.
        loss: mean of the last steps; NaN when none was made.
        path: the last good checkpoint or, at the end of a pipeline, the saved model; "" for none.
    """

    reason: FinishReason
    step: int
    loss: float
    path: str


@dataclass(frozen=True, slots=True)
class TrainingFailed(TrainingEvent):
    """The last event of a run in another process that raised a `GptDeskError`.

    Attributes:
        title, hint, details: as in the error.
    """

    title: str
    hint: str = ""
    details: str = ""


def to_json(event: TrainingEvent) -> str:
    """One line of JSON, without its end of line; numbers that are none become null."""
    data = {key: _plain(value) for key, value in dataclasses.asdict(event).items()}
    return json.dumps({"event": type(event).__name__, **data}, ensure_ascii=False)


def from_json(line: str) -> TrainingEvent | None:
    """The event of a line that `to_json` made, or None when it is something else."""
    try:
        data = json.loads(line)
        kind = _KINDS[data.pop("event")]
        for key in ("loss", "grad_norm"):
            if data.get(key, 0.0) is None:
                data[key] = math.nan
        return kind(**data)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


_KINDS: dict[str, type[TrainingEvent]] = {
    kind.__name__: kind
    for kind in (
        StageStarted,
        StageProgress,
        StepDone,
        Evaluated,
        CheckpointSaved,
        TrainingWarning,
        FinetuneReport,
        TrainingFinished,
        TrainingFailed,
    )
}
