"""Training in a child process of low priority, for whoever must stay responsive. Needs no torch.

The child is `gptdesk train … --json` or a command like it: it prints events as lines of JSON. It
is asked to stop by a signal, upon which it saves a checkpoint and ends with "cancelled".
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence

from gptdesk.errors import TrainingError
from gptdesk.training.events import TrainingEvent, TrainingFailed, TrainingFinished, from_json

_WINDOWS = os.name == "nt"
_TAIL = 4000
_NICENESS = 10
# A signal for the child must not reach this process, nor the other way round.
_CREATION_FLAGS: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(
    subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0
)


class RemoteTraining:
    """One training run in a process of its own.

    Args:
        arguments: of the `gptdesk` command, such as ("train", "config.toml", "--json").
        threads: cores that it may use; the window keeps the others.
        patience: seconds that a cancelled child has to save its checkpoint before it is killed.
        command: starts `gptdesk`.

    Attributes:
        interrupted: whether the child was made to go before it could tell how it ended.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        threads: int,
        patience: float = 60.0,
        command: Sequence[str] = (sys.executable, "-m", "gptdesk"),
    ) -> None:
        self._command = [*command, *arguments]
        self._threads = threads
        self._patience = patience
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[str] | None = None
        self.interrupted = False

    def events(self) -> Iterator[TrainingEvent]:
        """Start the child and yield what it tells; call it once.

        Yields:
            Events, the last of which, and no other, is `TrainingFinished` or `TrainingFailed`.
            A generator that is closed early stops the child and waits for it.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
            try:
                child = self._start(errors.fileno())
            except OSError as error:
                yield _failed("Training could not be started.", str(error))
                return
            try:
                yield from self._told(child)
                code = child.wait()
            finally:
                self._stop(child)
            errors.seek(0)
            if not self._ended:
                self.interrupted = self._cancelled.is_set()
                yield _failed(f"Training ended unexpectedly (code {code}).", errors.read()[-_TAIL:])

    def cancel(self) -> None:
        """Ask the child to save a checkpoint and stop; returns at once, from any thread."""
        with self._lock:
            self._cancelled.set()
            if self._child is not None:
                _ask_to_stop(self._child)

    def kill(self) -> None:
        """End the child at once, from any thread; what it saved before is whole."""
        self.cancel()
        with self._lock:
            if self._child is not None:
                self._child.kill()

    def _start(self, errors: int) -> subprocess.Popen[str]:
        threads = str(self._threads)
        environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        with self._lock:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                encoding="utf-8",
                errors="replace",
                creationflags=_CREATION_FLAGS,
                start_new_session=not _WINDOWS,
            )
            _give_way(self._child)
            if self._cancelled.is_set():
                _ask_to_stop(self._child)
            return self._child

    def _told(self, child: subprocess.Popen[str]) -> Iterator[TrainingEvent]:
        """Events up to the terminal one; what else the child prints is passed over."""
        self._ended = False
        if child.stdout is None:
            return
        for line in child.stdout:
            event = from_json(line)
            if event is not None and not self._ended:
                self._ended = isinstance(event, TrainingFinished | TrainingFailed)
                yield event

    def _stop(self, child: subprocess.Popen[str]) -> None:
        """Make sure that the child is gone: asked first, killed when it does not answer."""
        if child.poll() is None:
            _ask_to_stop(child)
            try:
                child.wait(self._patience)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _give_way(child: subprocess.Popen[str]) -> None:
    """Let whatever else runs on this machine come first; threads that come later inherit it."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # it has ended, or the system forbids it
            os.setpriority(os.PRIO_PROCESS, child.pid, _NICENESS)


def _ask_to_stop(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        if sys.platform == "win32":
            child.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            child.terminate()


def _failed(title: str, details: str) -> TrainingFailed:
    error = TrainingError(
        title, "The details may tell why. What was saved is still there.", details
    )
    return TrainingFailed(error.title, error.hint, error.details)
