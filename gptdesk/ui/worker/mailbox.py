"""What a worker has to tell, merged until the window takes it: text is joined, old progress dropped."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from gptdesk.errors import GptDeskError
from gptdesk.generation.events import Event, Finished, Progress, Text

TerminalKind = Literal["finished", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Terminal:
    """The end of a job.

    Attributes:
        kind: how it ended.
        value: the `Finished` event, or the error of a failed job.
    """

    kind: TerminalKind
    value: Finished | GptDeskError | None = None


Letter = tuple[int, Event | Terminal]
"""A job's number, and one thing to tell about it."""


class Mailbox:
    """A queue between the worker and the window that cannot overflow with tokens.

    However fast the worker is and however slow the window, at most one text and one progress of the
    running job wait here at the end of the queue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._letters: list[Letter] = []

    def post(self, job: int, item: Event | Terminal) -> bool:
        """Add one item; True when the box was empty, so that the window must be woken."""
        with self._lock:
            was_empty = not self._letters
            merged = self._merged(job, item)
            if merged is None:
                self._letters.append((job, item))
            else:
                self._letters[-1] = (job, merged)
            return was_empty

    def _merged(self, job: int, item: Event | Terminal) -> Event | None:
        if not self._letters or self._letters[-1][0] != job:
            return None
        last = self._letters[-1][1]
        if isinstance(last, Text) and isinstance(item, Text):
            return Text(last.text + item.text)
        if isinstance(last, Progress) and isinstance(item, Progress):
            return item if last.stage == item.stage else None
        return None

    def take_all(self) -> list[Letter]:
        """Everything posted since the last call, oldest first."""
        with self._lock:
            letters, self._letters = self._letters, []
            return letters
