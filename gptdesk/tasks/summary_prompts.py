"""The prompts that summarizing needs, in the style of the loaded model."""

from __future__ import annotations

from gptdesk.errors import ContextOverflowError
from gptdesk.tasks.base import Operations
from gptdesk.tasks.languages import prompt_name
from gptdesk.tasks.prompt_files import prompt_text
from gptdesk.tasks.prompts import (
    instruction_prompt,
    plain_prompt,
    prompt_tokens,
    style_of,
)
from gptdesk.text.prompt import Prompt
from gptdesk.text.task_template import fill, template_prompt

_TASK = "summarize"
# Cutting a text can cost a token or two at each border.
_MARGIN = 8
_SMALLEST_BUDGET = 32


class SummaryPrompts:
    """Builds prompts for summaries in one language.

    Args:
        ops: the model to be asked.
        language: code of the language of the summary.
        count: how many points a list has.
    """

    def __init__(self, ops: Operations, language: str, count: int) -> None:
        self._ops = ops
        self._language = language
        self._count = str(count)
        self.style = style_of(_TASK, ops)

    @property
    def lists_points(self) -> bool:
        """Whether the model can be asked for a list; others give one sentence at a time."""
        return self.style == "chat"

    def whole(self, text: str, form: str) -> Prompt:
        """Summarize a text that fits the context."""
        return self._prompt(text, form)

    def part(self, text: str) -> Prompt:
        """Take notes on one part of a long text, or on notes on several."""
        return self._prompt(text, "part")

    def combined(self, notes: str, form: str) -> Prompt:
        """Summarize a text given as the notes on its parts."""
        return self._prompt(notes, form, combine=True)

    def budget(self, answer_tokens: int) -> int:
        """Tokens of text that fit the context beside the longest prompt and an answer.

        Raises:
            ContextOverflowError: next to none do.
        """
        forms = ("headline", "paragraph", "points", "part")
        overhead = max(
            prompt_tokens(self._ops.tokenizer, self._prompt("", form, combine=form != "part"))
            for form in forms
        )
        budget = self._ops.context_length - overhead - answer_tokens - _MARGIN
        if budget < _SMALLEST_BUDGET:
            raise ContextOverflowError(
                f"This model attends to {self._ops.context_length} tokens, too few to summarize "
                f"with an answer of {answer_tokens}.",
                "Allow fewer new tokens, or open a model with a longer context.",
            )
        return budget

    def _prompt(self, text: str, form: str, *, combine: bool = False) -> Prompt:
        if self.style == "chat":
            return self._instruction(text, form, combine=combine)
        # Only chat models know what a list or a note is; for the others it is a short summary.
        form = "headline" if form == "headline" else "paragraph"
        if self.style == "plain":
            return plain_prompt(prompt_text(_TASK, "plain", self._language, form), text.rstrip())
        values = {"form": form, "language": self._language}
        return template_prompt(self._ops.profile.tasks[_TASK].template, text, values)

    def _instruction(self, text: str, form: str, *, combine: bool) -> Prompt:
        def words(key: str) -> str:
            return prompt_text(_TASK, "chat", self._language, key)

        language = prompt_name(self._language, self._language)
        instruction = fill(words(form), {"language": language, "count": self._count})
        if combine:
            instruction = f"{words('combine')} {instruction}"
        return instruction_prompt(self._ops.tokenizer, words("system"), instruction, text)
