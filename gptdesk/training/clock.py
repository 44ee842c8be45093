"""How far a run is, by its steps and by its time budget."""

from __future__ import annotations

import time
from collections.abc import Callable

_CLOSING = 2.0
"""Seconds first set aside for the last evaluation and checkpoint; later what these took."""


class RunClock:
    """Time of one run, the parts before it was resumed included.

    Args:
        max_steps, max_minutes: limits; at least one of them is given.
        used: seconds that earlier parts took.
        closing_steps: steps that take as long as the last evaluation, until one was timed.
        now: seconds from any fixed point.
    """

    def __init__(
        self,
        max_steps: int | None,
        max_minutes: float | None,
        used: float = 0.0,
        closing_steps: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_steps = max_steps
        self._budget = None if max_minutes is None else max_minutes * 60
        self._now = now
        self._start = now() - used
        closing = _CLOSING if self._budget is None else min(_CLOSING, 0.02 * self._budget)
        self._saving, self._evaluation = closing, 0.0
        self._closing_steps = closing_steps
        self._steps, self._step_seconds = 0, 0.0

    @property
    def _closing(self) -> float:
        evaluation = self._evaluation or self._closing_steps * self._step_seconds
        return self._saving + evaluation

    def elapsed(self) -> float:
        """Seconds of the run so far."""
        return self._now() - self._start

    def note_step(self, seconds: float) -> None:
        """Learn how long steps take; the first one, which may compile, is forgotten at once."""
        self._steps += 1
        share = 0.2 if self._steps > 2 else 1.0
        self._step_seconds += share * (seconds - self._step_seconds)

    def note_saving(self, seconds: float) -> None:
        """Learn how long the last checkpoint will take."""
        self._saving = max(self._saving, seconds)

    def note_evaluation(self, seconds: float) -> None:
        """Learn how long the last evaluation will take."""
        self._evaluation = max(self._evaluation, seconds)

    def progress(self, step: int, elapsed: float) -> float:
        """Share of the run that is over before this step: 1 at its last step or its time's end."""
        by_steps = step / self._max_steps if self._max_steps else 0.0
        if self._budget is None:
            return by_steps
        # Decayed when the last step that fits begins, not when the budget is used up.
        usable = max(self._budget - self._closing - self._step_seconds, 1e-9)
        return max(by_steps, min(1.0, elapsed / usable))

    def is_up(self, elapsed: float) -> bool:
        """Whether one more step and the last checkpoint would exceed the budget."""
        if self._budget is None:
            return False
        return elapsed + self._step_seconds + self._closing > self._budget

    def total_steps(self, step: int, elapsed: float) -> int:
        """Steps of the whole run; an estimate where the time decides."""
        left = self._seconds_by_clock(elapsed)
        if left is None or not self._step_seconds:
            return self._max_steps or 0
        reachable = step + int(left / self._step_seconds)
        return min(reachable, self._max_steps) if self._max_steps else reachable

    def seconds_left(self, step: int, elapsed: float) -> float | None:
        """Until the last step; None when unknown."""
        estimates = [self._seconds_by_clock(elapsed)]
        if self._max_steps is not None and self._step_seconds:
            estimates.append((self._max_steps - step) * self._step_seconds)
        return min((seconds for seconds in estimates if seconds is not None), default=None)

    def _seconds_by_clock(self, elapsed: float) -> float | None:
        return None if self._budget is None else max(0.0, self._budget - self._closing - elapsed)
