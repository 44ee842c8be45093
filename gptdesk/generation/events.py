"""The one stream of events that comes out of every task; UI and CLI are thin readers of it.

    Started · (Progress | Text)* · Finished

Text events are final: their joined text IS the result. Events are plain picklable data, so that
a worker in another process could send them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FinishReason = Literal["stop", "length", "context", "cancelled"]
"""Why a run ended: the model ended its text (or a stop string came), `max_new_tokens` was
reached, the context was full, or the person stopped it."""

Stage = Literal["loading", "reading", "writing", "part", "exporting"]


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of one run.

    Attributes:
        prompt_tokens: tokens of all prompts.
        reused_tokens: those of them that were still in the KV cache.
        new_tokens: tokens generated.
        time_to_first_token: seconds from the start of the run to its first token.
        tokens_per_second: decoding speed after the first token; 0 when fewer than two came.
        context_used: tokens in the cache at the end.
        context_length: tokens the model can attend to.
        seed: the seed the samples came from, given or drawn.
    """

    prompt_tokens: int = 0
    reused_tokens: int = 0
    new_tokens: int = 0
    time_to_first_token: float = 0.0
    tokens_per_second: float = 0.0
    context_used: int = 0
    context_length: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token.

    Attributes:
        id: its id.
        text: what may be appended now; "" while a character or a possible stop is incomplete.
        logprob: natural log of the probability that the model itself gave it: temperature 1,
            before bans, penalties and filters. None unless `top_logprobs` > 0.
        alternatives: the most probable ids with text and logprob, when `top_logprobs` > 0.
    """

    id: int
    text: str
    logprob: float | None = None
    alternatives: tuple[tuple[int, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class GenerationEnd:
    """The last item of one generation.

    Attributes:
        reason: why it ended.
        stats: its figures.
        logprob: of the model's choice to end the text, as of a `Token`. None where it ended
            otherwise, and unless `top_logprobs` > 0.
    """

    reason: FinishReason
    stats: Stats
    logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; `text` is "" unless the event is `Text`."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Started(Event):
    """The task begins; `task` is its id."""

    task: str = ""


@dataclass(frozen=True, slots=True)
class Text(Event):
    """A piece of the result; final, to be appended."""


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far the work is: `done` of `total` in units of the stage (tokens, parts, bytes).

    Attributes:
        stage: "loading" (bytes), "reading" (prompt tokens), "writing" (tokens), "part" (pieces of
            a long text), "exporting" (bytes).
        done, total: counts; `total` is 0 when unknown.
        detail: a short text for the person, or "".
    """

    stage: Stage = "reading"
    done: int = 0
    total: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The last event of every run.

    Attributes:
        result: what text cannot carry (sources of sentences, paragraph alignment, parts, notes).
        stats: figures of the whole run.
        reason: why it ended; where the result was written in parts, such as sentences, "stop" only
            if the model ended each of them, and otherwise the first limit that it hit.
    """

    result: Mapping[str, Any] = field(default_factory=dict)
    stats: Stats = field(default_factory=Stats)
    reason: FinishReason = "stop"
