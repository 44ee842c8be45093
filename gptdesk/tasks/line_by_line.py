"""Writes a text anew line by line, so that line breaks, lists, quotations and code stay."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Protocol

from gptdesk.generation.events import Event, Progress, Text
from gptdesk.tasks.markup import Fragment, Line, lines
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.wrapping import blocks, broken, joined

Step = Generator[Progress, None, str]


class Joining(Protocol):
    """Puts the pieces of a line together; see `joining.Joiner`."""

    def push(self, source: str, text: str) -> str:
        """Add a piece, given with what it was written from; return what can be shown."""
        ...

    def flush(self) -> str:
        """What is left at the end of the line."""
        ...


class Worker(Protocol):
    """Writes the words of lines anew."""

    def begin(self, number: int, line: Line) -> str:
        """Turn to a line, or to a hard-wrapped paragraph that begins with it; counts from 1.

        Returns what kind of line it is, if the same words would be written otherwise in another.
        """
        ...

    def pieces(self, body: str) -> list[Fragment]:
        """Cut the words of a line where they must be cut; the joined pieces are `body`."""
        ...

    def write(self, text: str) -> Step:
        """Write a piece anew; white space around it stays. Yields progress, returns the text."""
        ...

    def joiner(self) -> Joining:
        """What puts the new pieces of a line together."""
        ...


class LineByLine:
    """Writes line after line and keeps track of where each went.

    Attributes:
        alignment: first and last character of each line, or hard-wrapped paragraph, that is not
            blank, in the source and in what was written, as four numbers.
    """

    def __init__(self, run: TaskRun, worker: Worker) -> None:
        self._run = run
        self._worker = worker
        self.alignment: list[tuple[int, int, int, int]] = []
        self._written = 0
        self._pending = ""
        self._kind = ""
        self._known: dict[tuple[str, str], str] = {}

    def write(self, text: str) -> Iterator[Event]:
        """Yield the events of all lines; ends early when the person stops."""
        source = list(blocks(list(lines(text))))
        total, done, number = sum(bool(block[0].body) for block in source), 0, 1
        for block in source:
            self._kind = self._worker.begin(number, block[0])
            if block[0].body:
                yield Progress(stage="part", done=done, total=total)
                done += 1
            start = self._written + len(self._pending)
            yield from self._wrapped(block) if len(block) > 1 else self._single(block[0])
            if self._run.cancelled:
                return
            if (block[0].marker + block[0].body).strip():
                end = self._written + len(self._pending)
                self.alignment.append((block[0].start, block[-1].end, start, end))
            self._pending += block[-1].line_break
            number += len(block)
        yield from self._show("")
        yield Progress(stage="part", done=done, total=total)

    def _single(self, line: Line) -> Iterator[Event]:
        self._pending += line.marker
        if line.body:
            yield from self._words(line.body, show=True)
        self._pending += line.tail

    def _wrapped(self, block: list[Line]) -> Iterator[Event]:
        """Write a hard-wrapped paragraph as one text and break it into lines again."""
        text = yield from self._words(joined(block), show=False)
        if self._run.cancelled:
            return
        parts = [
            line.marker + part + line.tail
            for line, part in zip(block, broken(text, block), strict=True)
        ]
        for line, part in zip(block, parts[:-1], strict=False):
            self._pending += part + line.line_break
        yield from self._show(parts[-1])

    def _words(self, body: str, *, show: bool) -> Generator[Event, None, str]:
        """Write the words of a line anew; returns them, and yields them piece by piece.

        A line seen before is not worked on again.
        """
        known = self._known.get((self._kind, body))
        if known is not None:
            yield from self._show(known) if show else ()
            return known
        joiner, whole = self._worker.joiner(), ""
        for piece in self._worker.pieces(body):
            text = piece.text
            if not piece.literal:
                text = yield from self._worker.write(text)
                self._run.end_part()
            if self._run.cancelled:
                return whole
            shown = joiner.push(piece.text, text)
            yield from self._show(shown) if show else ()
            whole += shown
        rest = joiner.flush()
        yield from self._show(rest) if show else ()
        self._known[self._kind, body] = whole + rest
        return whole + rest

    def _show(self, text: str) -> Generator[Text, None, None]:
        """Show text together with the marks and line breaks that were waiting for it.

        They wait so that a stopped run does not end in an empty list item.
        """
        shown = self._pending + text
        self._pending = ""
        self._written += len(shown)
        if shown:
            yield Text(shown)
