"""The prompts that translating needs, in the style of the loaded model."""

from __future__ import annotations

from gptdesk.tasks.base import Operations
from gptdesk.tasks.languages import prompt_name
from gptdesk.tasks.prompt_files import example_sentences, language_name, prompt_text
from gptdesk.tasks.prompts import (
    instruction_prompt,
    plain_prompt,
    prompt_tokens,
    style_of,
)
from gptdesk.text.prompt import Prompt
from gptdesk.text.task_template import fill, template_prompt

_TASK = "translate"
# Cutting a text can cost a token or two at each border.
_MARGIN = 8


class TranslationPrompts:
    """Builds prompts for translating from one language into another.

    Attributes:
        source, target: language codes.
    """

    def __init__(self, ops: Operations, source: str, target: str) -> None:
        self._ops = ops
        self.source = source
        self.target = target
        self.style = style_of(_TASK, ops)
        self._examples = self._few_shots() if self.style == "plain" else ""

    @property
    def keeps_marks(self) -> bool:
        """Whether the model can be trusted to carry links, code and whole paragraphs along."""
        return self.style == "chat"

    def translate(self, text: str) -> Prompt:
        """Translate a text that fits the context."""
        if self.style == "template":
            values = {"source": self.source, "target": self.target}
            return template_prompt(self._ops.profile.tasks[_TASK].template, text, values)
        if self.style == "plain":
            return plain_prompt(self._examples, text)
        return self._instruction(text)

    def overhead(self) -> int:
        """Tokens of a prompt without a text."""
        return prompt_tokens(self._ops.tokenizer, self.translate("")) + _MARGIN

    def _instruction(self, text: str) -> Prompt:
        names = {
            "source": prompt_name(self.source, self.target),
            "target": prompt_name(self.target, self.target),
        }
        system = prompt_text(_TASK, "chat", self.target, "system")
        instruction = fill(prompt_text(_TASK, "chat", self.target, "translate"), names)
        return instruction_prompt(self._ops.tokenizer, system, instruction, text)

    def _few_shots(self) -> str:
        """Pairs of lines that end where the translation of `{text}` is to follow."""
        source, target = language_name(self.source, "en"), language_name(self.target, "en")
        pairs = [
            f"{source}: {first}\n{target}: {second}\n\n"
            for first, second in zip(
                example_sentences(self.source), example_sentences(self.target), strict=True
            )
        ]
        return f"{''.join(pairs)}{source}: {{text}}\n{target}:"
