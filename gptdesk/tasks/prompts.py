"""Puts what the person wrote into the words that a model understands.

A model is addressed in the first of these styles that it knows:

    template   the task's template in the `gptdesk.json` that came with the model
    chat       its chat template: an instruction, then the text between tags
    plain      text that a model without instructions simply goes on with

What the person wrote is always a piece of its own whose special tokens are not read as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from gptdesk.errors import TokenizerError
from gptdesk.tasks.base import Operations
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.task_template import fill

if TYPE_CHECKING:
    from gptdesk.text.tokenizer import Tokenizer

Style = Literal["template", "chat", "plain"]
Message = Mapping[str, str]


def style_of(task: str, ops: Operations) -> Style:
    """How the loaded model is addressed for this task."""
    if task in ops.profile.tasks:
        return "template"
    return "chat" if ops.tokenizer.chat_template else "plain"


def plain_prompt(template: str, text: str) -> Prompt:
    """Fill a prompt for a plain language model.

    One piece: a border between pieces is a border between tokens, which the model would not have
    seen between a text and what follows it.
    """
    return (Piece(fill(template, {"text": text})),)


def instruction_prompt(tokenizer: Tokenizer, system: str, instruction: str, text: str) -> Prompt:
    """Ask a chat model to do something with a text, which stands between tags it cannot close."""
    tag = "text"
    while f"</{tag}>" in text:
        tag += "_"
    content = f"{instruction}\n\n<{tag}>\n{text}\n</{tag}>"
    messages = [{"role": "system", "content": system}, {"role": "user", "content": content}]
    # Where a model thinks first if it may, the text that is asked for would come late or never.
    return chat_prompt(tokenizer, messages, enable_thinking=False)


def chat_prompt(tokenizer: Tokenizer, messages: Sequence[Message], **variables: Any) -> Prompt:
    """Render messages with the model's chat template, which may use `variables`.

    Some templates (Gemma's, Mistral's first) refuse a system message; what it says then goes to
    the front of the first message of the person.

    Raises:
        TokenizerError: the model has no chat template, or it refuses the messages.
    """
    try:
        return tokenizer.chat_prompt(messages, **variables)
    except TokenizerError:
        folded = _fold_system(messages)
        if folded is None:
            raise
        return tokenizer.chat_prompt(folded, **variables)


def _fold_system(messages: Sequence[Message]) -> list[Message] | None:
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return None
    content = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return [{"role": "user", "content": content}, *messages[2:]]


def prompt_tokens(tokenizer: Tokenizer, prompt: Prompt) -> int:
    """How many tokens of the context a prompt takes."""
    return len(tokenizer.encode_prompt(prompt))
