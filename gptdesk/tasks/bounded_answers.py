"""Answers about one piece of text after another, none longer than the piece allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gptdesk.generation.events import Token
from gptdesk.tasks.answers import Trimmer
from gptdesk.tasks.certainty import Certainty
from gptdesk.tasks.line_by_line import Step
from gptdesk.tasks.run import TaskRun
from gptdesk.text.budget import chunks
from gptdesk.text.prompt import Prompt

SMALLEST_BUDGET = 16
"""Tokens of a piece below which a model's context is too small to be of use."""


class BoundedAnswers:
    """Asks a model for one line in the place of a piece; both share the context with the prompt.

    Args:
        run: the task's.
        overhead: tokens of the prompt without a piece.
        ratio: most tokens of an answer for each of its piece.
        extra: and so many on top, for short pieces.

    Attributes:
        budget: most tokens of a piece; compare it with `SMALLEST_BUDGET`.
    """

    def __init__(self, run: TaskRun, overhead: int, ratio: float, extra: int) -> None:
        self._run = run
        self._tokenizer = run.ops.tokenizer
        self._ratio = ratio
        self._extra = extra
        self._room = run.ops.context_length - overhead
        self.budget = int((self._room - extra) / (1 + ratio))

    def fits(self, text: str) -> bool:
        """Whether the text can be one piece."""
        return self._tokenizer.count(text) <= self.budget

    def short(self, text: str) -> list[str]:
        """The text in pieces that fit; joined they are the text."""
        return [text] if self.fits(text) else chunks(text, self._tokenizer, self.budget)

    def ask(
        self,
        prompt: Prompt,
        piece: str,
        values: Mapping[str, Any] | None = None,
        certainty: Certainty | None = None,
    ) -> Step:
        """Generate the answer to a prompt that holds `piece`. Yields progress, returns the line.

        Args:
            values: sampling laid over the task's.
            certainty: is told of the tokens and the end; wants `top_logprobs` among the values.
        """
        count = self._tokenizer.count(piece)
        most = min(
            self._run.sampling.max_new_tokens,
            int(self._ratio * count) + self._extra,
            max(1, self._room - count),
        )
        trimmer = Trimmer(one_line=True)
        parts = []
        for item in self._run.generate(prompt, {**(values or {}), "max_new_tokens": most}):
            if not isinstance(item, Token):
                yield item
                continue
            if certainty is not None:
                certainty.push(item)
            parts.append(trimmer.push(item.text))
            if trimmer.complete:
                self._run.enough()
        if certainty is not None:
            certainty.end(self._run.end_logprob)
        return "".join(parts)
