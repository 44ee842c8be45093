"""The loss as a curve to look at: smoothed, thinned, with round numbers for its axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

_MEMORY = 0.93  # share of the past in the smoothed loss, from one announcement to the next
_MOST = 1200  # more points than a plot has pixels are not worth keeping


@dataclass
class LossCurve:
    """What a run has told of its loss so far.

    Attributes:
        training: (step, smoothed loss) of the text that is learnt from.
        held_out: (step, loss) of the text that is not.
    """

    training: list[tuple[int, float]] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)
    _mean: float = 0.0
    _weight: float = 0.0

    def add(self, step: int, loss: float) -> None:
        """Note the loss of training; one that is no number is left out."""
        if not math.isfinite(loss):
            return
        # Divided by the weights so far, the mean does not lean towards the 0 that it began with.
        self._mean = _MEMORY * self._mean + (1 - _MEMORY) * loss
        self._weight = _MEMORY * self._weight + (1 - _MEMORY)
        self.training.append((step, self._mean / self._weight))
        if len(self.training) > _MOST:
            del self.training[1:-1:2]

    def add_held_out(self, step: int, loss: float) -> None:
        """Note the loss on text held out."""
        if math.isfinite(loss):
            self.held_out.append((step, loss))

    @property
    def last_step(self) -> int:
        """The last step there is something to show of."""
        return max((step for step, _ in (*self.training[-1:], *self.held_out[-1:])), default=0)

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Lowest and highest loss; None while there is none."""
        losses = [loss for _, loss in (*self.training, *self.held_out)]
        return (min(losses), max(losses)) if losses else None


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` + 1 multiples of 1, 2 or 5 times a power of ten that reach from `low` to `high`.

    The first is at or below `low`, the last at or above `high`.
    """
    span = max(high - low, 1e-3)
    power = 10.0 ** math.floor(math.log10(span / most))
    for factor in (1, 2, 5, 10, 20):
        step = factor * power
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= most:
            break
    return [number * step for number in range(first, max(last, first + 1) + 1)]
