"""The prompts that rewriting needs, in the style of the loaded model."""

from __future__ import annotations

from gptdesk.tasks.base import Operations
from gptdesk.tasks.prompt_files import prompt_text
from gptdesk.tasks.prompts import (
    instruction_prompt,
    plain_prompt,
    prompt_tokens,
    style_of,
)
from gptdesk.text.prompt import Prompt
from gptdesk.text.task_template import template_prompt

_TASK = "rewrite"
# Cutting a text can cost a token or two at each border.
_MARGIN = 8


class RewritingPrompts:
    """Builds prompts for one way of rewriting.

    Args:
        ops: the model to be asked.
        manner: "proofread" or "simplify".
        language: code of the language of the text.

    Attributes:
        manner: as given.
        style: how the model is addressed.
    """

    def __init__(self, ops: Operations, manner: str, language: str) -> None:
        self._ops = ops
        self.manner = manner
        self._language = language
        self.style = style_of(_TASK, ops)

    @property
    def takes_paragraphs(self) -> bool:
        """Whether the model can be given a whole line; others are given single sentences."""
        return self.style == "chat"

    def rewrite(self, text: str) -> Prompt:
        """Rewrite a text that fits the context."""
        if self.style == "template":
            template = self._ops.profile.tasks[_TASK].template
            return template_prompt(template, text, {"style": self.manner})
        if self.style == "plain":
            return plain_prompt(self._words("plain", self.manner), text)
        system, instruction = self._words("chat", "system"), self._words("chat", self.manner)
        return instruction_prompt(self._ops.tokenizer, system, instruction, text)

    def overhead(self) -> int:
        """Tokens of a prompt without a text."""
        return prompt_tokens(self._ops.tokenizer, self.rewrite("")) + _MARGIN

    def _words(self, table: str, key: str) -> str:
        return prompt_text(_TASK, table, self._language, key)
