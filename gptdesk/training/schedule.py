"""The learning rate over a run, as a share of its peak."""

from __future__ import annotations

import math

from gptdesk.training.settings import TrainerSettings


def rate(settings: TrainerSettings, step: int, progress: float) -> float:
    """Share of the peak learning rate at which a step is made.

    Args:
        settings: kind of schedule, warm-up, decay.
        step: steps made before this one; they alone decide the warm-up.
        progress: share of the run that is over, by steps or by the clock.

    Returns:
        Above 0 during warm-up; `min_lr_ratio` at progress 1.
    """
    floor = settings.min_lr_ratio
    falling = floor + (1 - floor) * _shape(settings, min(max(progress, 0.0), 1.0))
    return min(falling, _warm_up(settings, step, progress))


def _shape(settings: TrainerSettings, progress: float) -> float:
    if settings.schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    stable = 1 - settings.decay_fraction
    return 1.0 if progress <= stable else (1 - progress) / settings.decay_fraction


def _warm_up(settings: TrainerSettings, step: int, progress: float) -> float:
    """Rises by steps; a run cut short by its clock still leaves warm-up after a tenth of it."""
    by_step = (step + 1) / settings.warmup_steps if settings.warmup_steps else 1.0
    by_clock = progress / 0.1 if settings.max_minutes is not None else 0.0
    return min(1.0, max(by_step, by_clock))
