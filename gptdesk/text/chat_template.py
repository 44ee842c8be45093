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
from gptdesk.text.template_functions import TemplateRefusal
from gptdesk.text.template_sandbox import ChatEnvironment

Message = Mapping[str, Any]

_MAX_SOURCE = 48 << 10  # characters; the longest in use have some 30,000, and compiling takes time
_REASONING = ("reasoning_content", "thinking", "reasoning")
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
        try:
            values = {
                "tools": None,
                "documents": None,
                **self._special_texts,
                **(variables or {}),
                "messages": [_completed(message) for message in messages],
                "add_generation_prompt": add_generation_prompt,
            }
            plain = json.loads(json.dumps(values))  # no object of ours may reach a template
            with self._lock:
                self._environment.budget = Budget(plain)
                return self._compiled().render(plain)
        except Exception as error:
            raise self._unusable(error) from error

    def prompt(
        self, messages: Sequence[Message], variables: Mapping[str, Any] | None = None
    ) -> Prompt:
        """The conversation as pieces: the messages' contents apart, the template's text control.

        The template is rendered with a random mark in place of each content, and cut at the
        marks. What the template makes of the real contents is recognised where it is one of a few
        usual things, such as trimming; a template that changes them in another way gets them
        unchanged: what a person wrote stays as it is, and can never act as a control token.

        Raises:
            TokenizerError: as `render`; or a content cannot be told from the template's text.
        """
        whole = self.render(messages, variables=variables)
        parts, contents = self._cut(messages, variables)
        if (parts, contents) != self._cut(messages, variables):
            # The text between the contents depends on them: they were cut, counted, re-spelled.
            raise TokenizerError(
                f"The chat template of {self._path.parent} rewrites the messages, so that they "
                "cannot be told from its control tokens.",
                "Use another model for conversations.",
            )
        contents = _as_rendered(whole, parts, contents) or contents
        pieces = [Piece(parts[0], control=True)]
        for content, part in zip(contents, parts[1:], strict=True):
            pieces += [Piece(content), Piece(part, control=True)]
        return tuple(piece for piece in pieces if piece.text)

    def _cut(
        self, messages: Sequence[Message], variables: Mapping[str, Any] | None
    ) -> tuple[list[str], list[str]]:
        """The template's text around the contents, and the contents in its order: one fewer."""
        nonce = secrets.token_hex(8)
        written: list[str] = []

        def mark(content: str) -> str:
            written.append(content)
            return f"mark{nonce}n{len(written) - 1}end"

        marked = [_marked(message, mark) for message in messages]
        rendered = self.render(marked, variables=variables)
        parts = re.split(rf"mark{nonce}n(\d+)end", rendered)
        return parts[::2], [written[int(number)] for number in parts[1::2]]

    def _compiled(self) -> jinja2.Template:
        if self._template is None:
            if len(self._source) > _MAX_SOURCE:
                raise ValueError(f"it has {len(self._source)} characters")
            self._template = self._environment.from_string(self._source)
        return self._template

    def _unusable(self, error: Exception) -> TokenizerError:
        why = str(error)[:300].rstrip(".")
        if isinstance(error, TemplateRefusal):
            return TokenizerError(
                f"The chat template of {self._path.parent} refuses the conversation: {why}.",
                "Begin with a message of the person and take turns, or use another model.",
            )
        return TokenizerError(
            f"The chat template of {self._path.parent} cannot be used: {why}.",
            "Download the model's tokenizer files again, or use another model.",
            f"{type(error).__name__}: {str(error)[:10_000]}",
        )


def _completed(message: Message) -> Message:
    """`message` without empty entries, and its reasoning under each name that templates use."""
    filled = {key: value for key, value in message.items() if value is not None}
    reasoning = next((filled[key] for key in _REASONING if key in filled), None)
    if reasoning is None:
        return filled
    return {"thinking": reasoning, **filled, "reasoning_content": reasoning}


def _as_rendered(whole: str, parts: Sequence[str], contents: Sequence[str]) -> list[str] | None:
    """What the template made of each content, or None if that is nothing usual."""
    if not whole.startswith(parts[0]):
        return None
    at = len(parts[0])
    found = []
    for content, part in zip(contents, parts[1:], strict=True):
        for usual in _USUAL:
            text = usual(content)
            if whole.startswith(text + part, at):
                found.append(text)
                at += len(text) + len(part)
                break
        else:
            return None
    return found if at == len(whole) else None


def _without_reasoning(content: str) -> str:
    return content.rsplit("</think>", 1)[-1].lstrip("\n")


_USUAL: tuple[Callable[[str], str], ...] = (
    str,
    str.strip,
    str.rstrip,
    _without_reasoning,
    lambda content: _without_reasoning(content).strip(),
)
"""What templates do to contents: nothing, trim them, leave out earlier reasoning."""


def _marked(value: Any, mark: Callable[[str], str], key: str = "") -> Any:
    """`value` with every string of the writer replaced by its mark."""
    if isinstance(value, str):
        return value if key in _STRUCTURE or not value else mark(value)
    if isinstance(value, Mapping):
        return {name: _marked(item, mark, name) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item, mark) for item in value]
    return value
