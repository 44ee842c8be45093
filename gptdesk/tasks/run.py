"""The generations of one task run: one after another, their figures added up."""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.generation.events import (
    Finished,
    FinishReason,
    GenerationEnd,
    Progress,
    Stats,
    Token,
)
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.base import Operations
from gptdesk.tasks.thoughts import without_thoughts
from gptdesk.text.prompt import Prompt

_SEEDS = 1 << 31


class TaskRun:
    """Runs generations for a task and keeps the books.

    Attributes:
        reason: why the last generation ended.
        end_logprob: of its model's choice to end it; see `GenerationEnd`.
        sampling: the settings of the run, its seed drawn once, so that the seed in the
            statistics repeats the whole run, however many generations it has.
    """

    def __init__(self, ops: Operations, sampling: Sampling) -> None:
        self.ops = ops
        seed = random.randrange(_SEEDS) if sampling.seed is None else sampling.seed
        self.sampling = sampling.with_values({"seed": seed})
        self.reason: FinishReason = "stop"
        self.end_logprob: float | None = None
        self._first_limit: FinishReason = "stop"
        self._began = time.perf_counter()
        self._first_token = 0.0
        self._decoded, self._decode_seconds = 0, 0.0
        self._stats = Stats(context_length=ops.context_length, seed=seed)
        self._enough = ThreadCancelFlag()

    @property
    def cancelled(self) -> bool:
        """Whether the person asked to stop."""
        return self.ops.cancel.is_set()

    def enough(self) -> None:
        """End the generation that is being iterated: no further token is computed."""
        self._enough.set()

    def generate(
        self, prompt: Prompt, values: Mapping[str, Any] | None = None
    ) -> Iterator[Progress | Token]:
        """Generate after `prompt`; `values` change the run's sampling for this one generation.

        What a model thinks aloud before it answers is left out of the text of the tokens.
        """
        self._enough = ThreadCancelFlag()
        sampling = self.sampling.with_values(values or {})
        items = self.ops.generate(prompt, sampling, self._enough)
        for item in without_thoughts(prompt, items):
            if isinstance(item, GenerationEnd):
                self._add(item)
                continue
            if isinstance(item, Token) and not self._first_token:
                self._first_token = time.perf_counter() - self._began
            yield item

    def collect(
        self, prompt: Prompt, values: Mapping[str, Any] | None = None
    ) -> Generator[Progress, None, str]:
        """Generate, yield the progress, return the whole text."""
        pieces = []
        for item in self.generate(prompt, values):
            if isinstance(item, Token):
                pieces.append(item.text)
            else:
                yield item
        return "".join(pieces)

    def end_part(self) -> None:
        """A part of the result is written: if its last generation hit a limit, the run did.

        Without parts the last generation of all decides, however many made notes or attempts.
        """
        if self._first_limit == "stop":
            self._first_limit = self.reason

    def finished(self, result: Mapping[str, Any] | None = None) -> Finished:
        """The last event: `result` and the figures so far."""
        reason = self.reason if self._first_limit == "stop" else self._first_limit
        return Finished(
            result=result or {},
            stats=self._stats,
            reason="cancelled" if self.cancelled else reason,
        )

    def _add(self, end: GenerationEnd) -> None:
        before, stats = self._stats, end.stats
        self.reason, self.end_logprob = end.reason, end.logprob
        if stats.tokens_per_second > 0:
            self._decoded += stats.new_tokens - 1
            self._decode_seconds += (stats.new_tokens - 1) / stats.tokens_per_second
        self._stats = Stats(
            prompt_tokens=before.prompt_tokens + stats.prompt_tokens,
            reused_tokens=before.reused_tokens + stats.reused_tokens,
            new_tokens=before.new_tokens + stats.new_tokens,
            time_to_first_token=self._first_token,
            tokens_per_second=self._decoded / self._decode_seconds if self._decode_seconds else 0.0,
            context_used=stats.context_used,
            context_length=stats.context_length or before.context_length,
            seed=before.seed,
        )
