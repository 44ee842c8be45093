"""Two workers over one model: the engine's, and one at its side for questions that must not wait.

A run or an export may keep the engine's worker busy for minutes. What a model's headers say, and how
many tokens a text has, is asked of the second worker meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from gptdesk.cancel import CancelFlag
from gptdesk.generation.events import Event
from gptdesk.ui.worker.outcome import Runner
from gptdesk.ui.worker.worker import EngineWorker, default_runner


class SharedRunner:
    """One runner for two threads, made by the one that needs it first."""

    def __init__(self, make: Callable[[], Runner]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._runner: Runner | None = None

    def get(self) -> Runner:
        """The runner; whoever calls first makes it."""
        with self._lock:
            if self._runner is None:
                self._runner = self._make()
            return self._runner


class SideRunner:
    """Passes questions on to the shared runner, and leaves the model to the engine's worker.

    Only requests that change nothing may come this way: `InspectModel`, `ListModels`, `CountTokens`.
    """

    def __init__(self, shared: SharedRunner) -> None:
        self._shared = shared

    def run(self, request: Any, cancel: CancelFlag) -> Iterator[Event]:
        """The events of one request, as the shared runner gives them."""
        return self._shared.get().run(request, cancel)

    def close(self) -> None:
        """Nothing of its own to free."""


def make_workers(
    make_runner: Callable[[], Runner] = default_runner,
) -> tuple[EngineWorker, EngineWorker]:
    """The engine's worker and the one at its side."""
    shared = SharedRunner(make_runner)
    side = SideRunner(shared)
    return EngineWorker(shared.get), EngineWorker(lambda: side, name="gptdesk-questions")
