"""Jobs waiting for the worker, each with its own cancel flag."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from gptdesk.cancel import ThreadCancelFlag


@dataclass(frozen=True, slots=True)
class Job:
    """One request on its way.

    Attributes:
        number: names it in every signal.
        request: one of the requests of `gptdesk.jobs`.
        cancel: set when the person stops it, waiting or running.
    """

    number: int
    request: Any
    cancel: ThreadCancelFlag = field(default_factory=ThreadCancelFlag)


class JobQueue:
    """First in, first out, between the window's thread and the worker's."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._closed = False

    def put(self, job: Job) -> None:
        """Append a job and wake the worker."""
        with self._condition:
            self._waiting.append(job)
            self._condition.notify()

    def next(self) -> Job | None:
        """Wait for a job; None when the queue is closed and empty."""
        with self._condition:
            while not self._waiting and not self._closed:
                self._condition.wait()
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        """Let `next` end once nothing waits."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
