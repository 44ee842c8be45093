"""The engine's worker as a thread: requests in, signals out, the window never waits.

    window ── submit ──► JobQueue ──► thread: run_job ──► Mailbox ──► window: reported, then one of
                                                                     finished, failed, cancelled

The thread emits a single signal, `_posted`, that only says "there is mail". The mail itself is taken
out and told on the window's thread, at most 30 times a second, so a slot connected here may be
anything, and a fast model cannot flood the window.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from gptdesk.generation.events import Event
from gptdesk.ui.worker.job_queue import Job, JobQueue
from gptdesk.ui.worker.mailbox import Mailbox, Terminal
from gptdesk.ui.worker.outcome import Runner, run_job

UPDATE_MS = 33
# A thread that runs Python gives way to the window after this long; with the usual 5 ms, a key that is
# pressed between two tokens waits noticeably (see tests/benchmarks/event_loop_lag.py).
SWITCH_SECONDS = 0.001
CLOSE_SECONDS = 5.0
_NUMBERS = itertools.count(1)  # over all workers: a number names one job


def default_runner() -> Runner:
    """The runner of the app."""
    # Imported on the worker's thread: behind it stand torch and onnxruntime.
    from gptdesk.jobs import JobRunner

    return JobRunner()


class EngineWorker(QObject):
    """Does jobs one after another in a thread of its own.

    Signals, always on the window's thread; every job gets exactly one of the last three:
        reported(job, Event): what happened, text joined to at most 30 updates a second.
        finished(job, Finished), failed(job, GptDeskError), cancelled(job).
    """

    reported = Signal(int, object)
    finished = Signal(int, object)
    failed = Signal(int, object)
    cancelled = Signal(int)
    _posted = Signal()

    def __init__(
        self,
        make_runner: Callable[[], Runner] = default_runner,
        parent: QObject | None = None,
        name: str = "gptdesk-engine",
    ) -> None:
        super().__init__(parent)
        sys.setswitchinterval(SWITCH_SECONDS)
        self._make_runner = make_runner
        self._runner: Runner | None = None
        self._queue = JobQueue()
        self._mailbox = Mailbox()
        self._open_jobs: dict[int, Job] = {}
        self._closing = False
        self._since_delivery = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._deliver)
        self._posted.connect(self._schedule)
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    # --- the window's side ---

    def submit(self, request: Any) -> int:
        """Queue a request of `gptdesk.jobs`; returns the number that its signals will carry."""
        job = Job(next(_NUMBERS), request)
        self._open_jobs[job.number] = job
        self._queue.put(job)
        return job.number

    def cancel(self, number: int) -> None:
        """Ask a job to stop, waiting or running; it still ends with its own signal."""
        job = self._open_jobs.get(number)
        if job is not None:
            job.cancel.set()

    @property
    def open_jobs(self) -> frozenset[int]:
        """Numbers of the jobs whose end has not been told yet."""
        return frozenset(self._open_jobs)

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Cancel everything and end the thread; tells what is left to tell.

        Returns:
            False when the running job did not react within `seconds`: the thread is abandoned (it
            cannot keep the process alive) and its job counts as cancelled.
        """
        self._closing = True
        for job in self._open_jobs.values():
            job.cancel.set()
        self._queue.close()
        self._thread.join(seconds)
        self._timer.stop()
        self._deliver()
        for number in list(self._open_jobs):
            self._tell(number, Terminal("cancelled"))
        return not self._thread.is_alive()

    @Slot()
    def _schedule(self) -> None:
        if self._timer.isActive():
            return
        elapsed = self._since_delivery.elapsed() if self._since_delivery.isValid() else UPDATE_MS
        self._timer.start(max(0, UPDATE_MS - elapsed))

    @Slot()
    def _deliver(self) -> None:
        self._since_delivery.start()
        for number, item in self._mailbox.take_all():
            self._tell(number, item)

    def _tell(self, number: int, item: Event | Terminal) -> None:
        if number not in self._open_jobs:
            return  # told as cancelled by close() while its thread was still busy
        if not isinstance(item, Terminal):
            self.reported.emit(number, item)
            return
        del self._open_jobs[number]
        if item.kind == "cancelled":
            self.cancelled.emit(number)
        else:
            signal = self.finished if item.kind == "finished" else self.failed
            signal.emit(number, item.value)

    # --- the thread's side ---

    def _work(self) -> None:
        while (job := self._queue.next()) is not None:
            self._do(job)
        if self._runner is not None:
            self._runner.close()

    def _do(self, job: Job) -> None:
        def post(item: Event | Terminal) -> None:
            # Once closing, nobody needs waking, and the Qt half of this object may be gone.
            if self._mailbox.post(job.number, item) and not self._closing:
                self._posted.emit()

        post(run_job(job, self._ready_runner, post))

    def _ready_runner(self) -> Runner:
        if self._runner is None:
            self._runner = self._make_runner()
        return self._runner
