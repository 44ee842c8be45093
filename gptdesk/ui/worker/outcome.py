"""Runs one job to its end, whatever it raises, and says how it ended."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from gptdesk.cancel import CancelFlag
from gptdesk.errors import Cancelled, EngineError, GptDeskError, OutOfMemoryError
from gptdesk.generation.events import Event, Finished
from gptdesk.ui.worker.job_queue import Job
from gptdesk.ui.worker.mailbox import Terminal


class Runner(Protocol):
    """What the worker drives: `gptdesk.jobs.JobRunner`."""

    def run(self, request: Any, cancel: CancelFlag) -> Iterator[Event]:
        """The events of one request; the last is `Finished`."""
        ...

    def close(self) -> None:
        """Free what is loaded."""
        ...


def run_job(job: Job, runner: Callable[[], Runner], post: Callable[[Event], None]) -> Terminal:
    """Run `job`, posting its events; never raises.

    Even `BaseException` is caught: a panic inside `tokenizers` is one, and a worker that dies in
    silence would leave the window waiting for ever.
    """
    try:
        return _run(job, runner(), post)
    except Cancelled:
        return Terminal("cancelled")
    except GptDeskError as error:
        return Terminal("failed", error)
    except MemoryError:
        return Terminal("failed", _out_of_memory())
    except BaseException as error:  # noqa: BLE001
        return Terminal("failed", _unexpected(error))


def _run(job: Job, runner: Runner, post: Callable[[Event], None]) -> Terminal:
    if job.cancel.is_set():
        return Terminal("cancelled")
    finished: Finished | None = None
    for event in runner.run(job.request, job.cancel):
        if isinstance(event, Finished):
            finished = event
        else:
            post(event)
    if finished is None:
        raise RuntimeError(f"{type(job.request).__name__} ended without a Finished event")
    if finished.reason == "cancelled":
        post(finished)  # its figures are worth showing; that it was stopped is the signal's to say
        return Terminal("cancelled")
    return Terminal("finished", finished)


def _out_of_memory() -> OutOfMemoryError:
    return OutOfMemoryError(
        "There is not enough memory for this.",
        "Close other programs, open a smaller model, or shorten the text.",
        traceback.format_exc(),
    )


def _unexpected(error: BaseException) -> EngineError:
    return EngineError(
        f"The model stopped with an unexpected error: {type(error).__name__}.",
        "Your text is safe. Try again; if it happens again, open the model anew.",
        traceback.format_exc(),
    )
