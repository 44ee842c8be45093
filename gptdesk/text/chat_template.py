"""Chat templates: a conversation into the text a model was trained on, in a bounded sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gptdesk.errors import NotBuiltError
from gptdesk.text.prompt import Prompt

Message = Mapping[str, Any]


class ChatTemplate:
    """The template `source` of the tokenizer file `path`, with the texts of its special tokens."""

    def __init__(self, source: str, special_texts: Mapping[str, str], path: Path) -> None:
        self.source = source
        self.special_texts = special_texts
        self.path = path

    def render(
        self,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        variables: Mapping[str, Any],
    ) -> str:
        """The conversation as text."""
        raise NotBuiltError("Chat templates are not built yet.")

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """The conversation as pieces."""
        raise NotBuiltError("Chat templates are not built yet.")
