"""Shapes streamed answers: trimmed, one line, one sentence, a list of points."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Protocol

from gptdesk.generation.events import Event, Progress, Text, Token
from gptdesk.tasks.run import TaskRun
from gptdesk.text.prompt import Prompt
from gptdesk.text.segmentation import sentences

BULLET = "• "
_MARKER = re.compile(r"\s*(?:[-*•·–]|\(?\d{1,2}[.)、])\s*")
_PREFACE = (":", "：")


class Shaper(Protocol):
    """Takes an answer as it comes and gives out what may be shown."""

    complete: bool
    """Whether everything wanted has come."""

    def push(self, text: str) -> str:
        """Take more text; return what can be shown of it and of what was held back."""
        ...

    def flush(self) -> str:
        """Return what was held back and belongs to the answer after all."""
        ...


class Trimmer:
    """Passes text on without the white space before its first and after its last word.

    Args:
        one_line: whether the text ends before its first line break.
    """

    def __init__(self, *, one_line: bool = False) -> None:
        self._one_line = one_line
        self._begun = False
        self._held = ""
        self.complete = False

    def push(self, text: str) -> str:
        """Take more text; return it up to its last word."""
        if self.complete:
            return ""
        if not self._begun:
            text = text.lstrip()
            self._begun = bool(text)
        text = self._held + text
        if self._one_line and "\n" in text:
            self.complete = True
            text = text.partition("\n")[0]
        shown = text.rstrip()
        self._held = text[len(shown) :]
        return shown

    def flush(self) -> str:
        """Nothing: only white space is held back."""
        return ""


class Points:
    """Turns the lines of an answer into at most `count` lines that begin with a bullet."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._line = ""
        self._shown = 0
        self.complete = False

    def push(self, text: str) -> str:
        """Take more text; return the points that it completes."""
        *lines, self._line = (self._line + text).split("\n")
        return "".join(map(self._point, lines))

    def flush(self) -> str:
        """Return the last line, which no line break follows."""
        line, self._line = self._line, ""
        return self._point(line)

    def _point(self, line: str) -> str:
        marker = _MARKER.match(line)
        content = line[marker.end() if marker else 0 :].strip()
        # Chat models like to announce a list before they give it.
        announces = not marker and not self._shown and content.endswith(_PREFACE)
        if not content or announces or self.complete:
            return ""
        self._shown += 1
        self.complete = self._shown == self._count
        return ("\n" if self._shown > 1 else "") + BULLET + content


def stream_answer(
    run: TaskRun, prompt: Prompt, shaper: Shaper, values: Mapping[str, Any]
) -> Iterator[Event]:
    """Generate an answer and yield it, shaped, as `Text` among the `Progress`.

    `values` are sampling fields for this generation.
    """
    for item in run.generate(prompt, values):
        if not isinstance(item, Token):
            yield item
            continue
        shown = shaper.push(item.text)
        if shown:
            yield Text(shown)
        if shaper.complete:
            run.enough()
    rest = shaper.flush()
    if rest:
        yield Text(rest)


def collect_sentence(
    run: TaskRun, prompt: Prompt, values: Mapping[str, Any]
) -> Generator[Progress, None, str]:
    """Generate until a first sentence is complete; yield the progress, return the sentence."""
    text = ""
    for item in run.generate(prompt, values):
        if not isinstance(item, Token):
            yield item
            continue
        text += item.text
        if len(_sentences(text)) > 1:
            run.enough()
    return next(iter(_sentences(text)), "")


def _sentences(text: str) -> list[str]:
    line = text.strip().partition("\n")[0]
    spans = [line[span.start : span.end].strip() for span in sentences(line)]
    # A line break ends a sentence too.
    return [*filter(None, spans), *(["…"] if "\n" in text.strip() else [])]
