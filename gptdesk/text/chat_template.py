"""Chat templates: a conversation into the text a model was trained on, in a bounded sandbox."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from gptdesk.errors import TokenizerError
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.template_budget import Budget
from gptdesk.text.template_sandbox import ChatEnvironment

Message = Mapping[str, Any]

_MAX_SOURCE = 48 << 10  # characters; the longest in use have some 30,000, and compiling takes time
_STRUCTURE = frozenset({"role", "type"})  # strings that the template compares, not the writer's


class ChatTemplate:
    """One model's template, compiled when it is first used. May be used by several threads.

    Args:
        source: the Jinja text.
        special_texts: "bos_token" and the like, as the template sees them.
        path: the file it came with, for messages.
    """

    def __init__(self, source: str, special_texts: Mapping[str, str], path: Path) -> None:
        self._source = source
        self._special_texts = dict(special_texts)
        self._path = path
        self._environment = ChatEnvironment()
        self._template: jinja2.Template | None = None
        self._lock = threading.Lock()  # the environment holds the budget of one rendering

    def render(
        self,
        messages: Sequence[Message],
        add_generation_prompt: bool = True,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """The conversation as text; equal to what `transformers` renders.

        Raises:
            TokenizerError: the template is broken, refuses the conversation, or does so much
                that it must be hostile.
        """
        values = {
            "tools": None,
            "documents": None,
            **self._special_texts,
            **(variables or {}),
            "messages": list(messages),
            "add_generation_prompt": add_generation_prompt,
        }
        try:
            plain = json.loads(json.dumps(values))  # no object of ours may reach a template
            with self._lock:
                self._environment.budget = Budget(plain)
                return self._compiled().render(plain)
        except Exception as error:
            raise self._unusable(error) from error

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """The conversation as pieces: the messages' contents apart, the template's text control.

        The template is rendered with a random mark in place of each content, and cut at the
        marks. Templates that trim contents are recognised by rendering the real ones as well.
        A template that changes contents in another way gets them unchanged: what a person wrote
        stays as it is, and can never act as a control token.

        Raises:
            TokenizerError: as `render`; or a content cannot be told from the template's text.
        """
        whole = self.render(messages)
        cut = self._cut(messages, str)
        if cut != self._cut(messages, str):
            # The text between the contents depends on them: they were cut, counted, re-spelled.
            raise TokenizerError(
                f"The chat template of {self._path.parent} rewrites the messages, so that they "
                "cannot be told from its control tokens.",
                "Use another model for conversations.",
            )
        if _text(cut) == whole:
            return cut
        trimmed = self._cut(messages, str.strip)
        return trimmed if _text(trimmed) == whole else cut

    def _cut(self, messages: Sequence[Message], prepare: Callable[[str], str]) -> Prompt:
        """Render with a fresh mark for each content, and put the contents between the parts."""
        nonce = secrets.token_hex(8)
        contents: list[str] = []

        def mark(content: str) -> str:
            contents.append(prepare(content))
            return f"mark{nonce}n{len(contents) - 1}end"

        rendered = self.render([_marked(message, mark) for message in messages])
        parts = re.split(rf"mark{nonce}n(\d+)end", rendered)
        pieces = [
            Piece(contents[int(part)]) if at % 2 else Piece(part, control=True)
            for at, part in enumerate(parts)
        ]
        return tuple(piece for piece in pieces if piece.text)

    def _compiled(self) -> jinja2.Template:
        if self._template is None:
            if len(self._source) > _MAX_SOURCE:
                raise ValueError(f"it has {len(self._source)} characters")
            self._template = self._environment.from_string(self._source)
        return self._template

    def _unusable(self, error: Exception) -> TokenizerError:
        return TokenizerError(
            f"The chat template of {self._path.parent} cannot be used: {str(error)[:300]}.",
            "Download the model's tokenizer files again, or use another model.",
            f"{type(error).__name__}: {str(error)[:10_000]}",
        )


def _text(prompt: Prompt) -> str:
    return "".join(piece.text for piece in prompt)


def _marked(value: Any, mark: Callable[[str], str], key: str = "") -> Any:
    """`value` with every string of the writer replaced by its mark."""
    if isinstance(value, str):
        return value if key in _STRUCTURE or not value else mark(value)
    if isinstance(value, Mapping):
        return {name: _marked(item, mark, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item, mark) for item in value]
    return value
