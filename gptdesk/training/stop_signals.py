"""A cancel flag that Ctrl+C and a request to terminate set, so that training can save first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from gptdesk.cancel import ThreadCancelFlag

_NAMES = ("SIGINT", "SIGTERM", "SIGBREAK")  # the last one is what Windows has for the second


@contextlib.contextmanager
def cancelled_by_signals() -> Iterator[ThreadCancelFlag]:
    """Turn signals into a flag inside the block; a second one interrupts as usual.

    Outside the main thread, which alone may say what signals do, the flag is never set.
    """
    flag = ThreadCancelFlag()

    def ask(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  given by the system
        flag.set()
        signal.signal(number, before[number])

    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    numbers = [int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, ask)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
