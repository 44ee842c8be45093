"""The worker's seam filled by a child process: requests and events go through a pipe.

It stands in for `gptdesk.jobs.JobRunner` in an `EngineWorker`: the worker's thread then only waits for
the pipe, and the interpreter of the window is not shared with the engine.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as ProcessEvent

from gptdesk.cancel import CancelFlag
from gptdesk.generation.events import Event, Finished
from gptdesk.jobs import JobRunner, Request

POLL_SECONDS = 0.02


class ProcessRunner:
    """Runs requests in a spawned process that lives until `close`."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._stop = context.Event()
        self._process = context.Process(target=_serve, args=(theirs, self._stop), daemon=True)
        self._process.start()

    def run(self, request: Request, cancel: CancelFlag) -> Iterator[Event]:
        """The child's events; its errors are raised here."""
        self._stop.clear()
        self._pipe.send(request)
        while True:
            if cancel.is_set():
                self._stop.set()
            if not self._pipe.poll(POLL_SECONDS):
                continue
            item = self._pipe.recv()
            if isinstance(item, BaseException):
                raise item
            yield item
            if isinstance(item, Finished):
                return

    def close(self) -> None:
        """End the child."""
        self._pipe.send(None)
        self._process.join(5)


def _serve(pipe: Connection, stop: ProcessEvent) -> None:
    runner = JobRunner()
    while (request := pipe.recv()) is not None:
        try:
            for event in runner.run(request, stop):
                pipe.send(event)
        except BaseException as error:  # noqa: BLE001 - the parent raises it again
            pipe.send(error)
    runner.close()
