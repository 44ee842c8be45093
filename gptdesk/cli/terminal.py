"""Progress on stderr, Ctrl+C as a cancel flag, and the shared way to load a model."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from gptdesk import paths
from gptdesk.cancel import ThreadCancelFlag
from gptdesk.generation.events import Progress

if TYPE_CHECKING:
    from gptdesk.session import Model

_WORDS = {
    "loading": "loading model",
    "reading": "reading",
    "writing": "writing",
    "part": "part",
    "exporting": "exporting",
}
_MEGA = 1_000_000


class ProgressLine:
    """One line on stderr that is overwritten; silent when stderr is not a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._on = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._shown = 0

    def show(self, progress: Progress) -> None:
        """Show how far the work is."""
        if not self._on:
            return
        unit = _MEGA if progress.stage in ("loading", "exporting") else 1
        counts = f"{progress.done // unit}/{progress.total // unit}" if progress.total else ""
        parts = [_WORDS[progress.stage], counts, "MB" if unit == _MEGA else "", progress.detail]
        text = " ".join(part for part in parts if part)
        sys.stderr.write("\r" + text.ljust(self._shown))
        sys.stderr.flush()
        self._shown = len(text)

    def clear(self) -> None:
        """Take the line away, so that text can come."""
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0


@contextlib.contextmanager
def cancel_on_interrupt() -> Iterator[ThreadCancelFlag]:
    """A flag that the first Ctrl+C sets; the second one raises KeyboardInterrupt as usual."""
    flag = ThreadCancelFlag()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        flag.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield flag
    finally:
        signal.signal(signal.SIGINT, previous)


def load_model(options: argparse.Namespace, path: str | None, line: ProgressLine) -> Model:
    """The model that the command's flags ask for; warnings go to stderr.

    Not below `cancel_on_interrupt`: there is nothing to keep yet, and importing an engine's
    library takes seconds in which nobody would look at a flag.
    """
    from gptdesk.session import load_model as load

    try:
        model = load(
            path or paths.default_model_dir(),
            engine=options.engine,
            device=options.device,
            dtype=options.dtype,
            threads=options.threads,
            adapter=options.adapter,
            progress=line.show,
        )
    finally:
        line.clear()
    for warning in model.warnings:
        print(f"gptdesk: warning: {warning}", file=sys.stderr)
    return model
