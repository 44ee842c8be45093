"""Keeps what a model thinks aloud, between <think> and </think>, out of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gptdesk.generation.events import GenerationEnd, Progress, Token
from gptdesk.text.prompt import Prompt

_OPENING, _CLOSING = "<think>", "</think>"

Item = Progress | Token | GenerationEnd


def without_thoughts(prompt: Prompt, items: Iterable[Item]) -> Iterator[Item]:
    """Pass the items of a generation on, the text of its tokens without the thoughts.

    Only an answer that a template opened may begin with thoughts; where a text simply goes on,
    the same letters are the writer's subject, and nothing is touched.
    """
    if not prompt or not prompt[-1].control:
        yield from items
        return
    thoughts = Thoughts(begun=prompt[-1].text.rstrip().endswith(_OPENING))
    last: Token | None = None
    for item in items:
        if isinstance(item, Token):
            last = item
            yield replace(item, text=thoughts.push(item.text))
        else:
            yield item
    rest = thoughts.flush()
    if rest and last is not None:
        yield replace(last, text=rest)


class Thoughts:
    """Takes an answer as it comes and gives out what is not thought.

    Args:
        begun: whether the prompt ended with the opening tag.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self._inside = begun
        self._passed = False
        self._held = ""

    def push(self, text: str) -> str:
        """Take more text; return what can be shown of it and of what was held back."""
        if self._passed:
            return text
        self._held += text
        if not self._inside:
            start = self._held.lstrip()
            if _OPENING.startswith(start):
                self._inside = start == _OPENING
                return ""
            self._inside = start.startswith(_OPENING)
        if not self._inside:
            return self._pass(self._held)
        _, tag, rest = self._held.partition(_CLOSING)
        return self._pass(rest) if tag else ""

    def flush(self) -> str:
        """Return what was held back and is no thought after all."""
        held, self._held = self._held, ""
        return "" if self._inside else held

    def _pass(self, text: str) -> str:
        self._passed, self._inside, self._held = True, False, ""
        return text
