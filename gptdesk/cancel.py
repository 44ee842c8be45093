"""The cancel flag: one small class, so that a child process can bring its own."""

from __future__ import annotations

import threading
from typing import Protocol

from gptdesk.errors import Cancelled


class CancelFlag(Protocol):
    """What long operations know of a wish to stop: they poll it, nobody is interrupted."""

    def is_set(self) -> bool:
        """Whether the person asked to stop."""
        ...


class ThreadCancelFlag:
    """A cancel flag for work in a thread of this process."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the operation to stop at its next check."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether the person asked to stop."""
        return self._event.is_set()


class NeverCancelled:
    """The flag of an operation that nobody can stop."""

    def is_set(self) -> bool:
        """Always False."""
        return False


NEVER = NeverCancelled()


class AnyCancelFlag:
    """Set as soon as one of several flags is."""

    def __init__(self, *flags: CancelFlag) -> None:
        self._flags = flags

    def is_set(self) -> bool:
        """Whether any of them is set."""
        return any(flag.is_set() for flag in self._flags)


def raise_if_cancelled(cancel: CancelFlag | None) -> None:
    """Raise `Cancelled` when `cancel` is set; None counts as never."""
    if cancel is not None and cancel.is_set():
        raise Cancelled
