"""The learning rate rises, stays and falls, by steps or by the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gptdesk.errors import OptionError
from gptdesk.training.clock import RunClock
from gptdesk.training.schedule import rate
from gptdesk.training.settings import TrainerSettings

WSD = TrainerSettings(max_steps=100, warmup_steps=10, decay_fraction=0.25, min_lr_ratio=0.1)


def _rates(settings: TrainerSettings) -> list[float]:
    return [rate(settings, step, step / 100) for step in range(101)]


def test_wsd_warms_up_stays_and_decays_to_its_floor() -> None:
    rates = _rates(WSD)
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert rates[9:76] == [1.0] * 67
    assert rates[76:] == sorted(rates[76:], reverse=True)
    assert rates[100] == pytest.approx(0.1)


def test_cosine_falls_all_the_way() -> None:
    rates = _rates(replace(WSD, schedule="cosine", min_lr_ratio=0.0))
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[50] == pytest.approx(0.5)
    assert rates[100] == 0


def test_no_warm_up_and_no_decay() -> None:
    assert set(_rates(replace(WSD, warmup_steps=0, decay_fraction=0.0))) == {1.0}


def test_a_short_budget_ends_the_warm_up_early() -> None:
    settings = replace(WSD, max_steps=None, max_minutes=1.0, warmup_steps=1000)
    assert rate(settings, 3, 0.1) == 1.0


class _Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_has_decayed_before_the_time_is_up() -> None:
    time = _Time()
    clock = RunClock(None, 1.0, used=12.0, now=time)
    assert clock.elapsed() == 12
    settings = replace(WSD, max_steps=None, max_minutes=1.0)
    step, last = 0, 1.0
    while not clock.is_up(clock.elapsed()):
        last = rate(settings, step, clock.progress(step, clock.elapsed()))
        time.now += 0.5
        clock.note_step(0.5)
        step += 1
    clock.note_saving(1.0)
    assert clock.elapsed() < 60
    assert last == pytest.approx(0.1, abs=0.02)


def test_time_is_left_for_the_last_evaluation_and_checkpoint() -> None:
    time = _Time()
    clock = RunClock(None, 1.0, now=time, closing_steps=4)
    clock.note_step(30.0)  # compiles
    clock.note_step(2.0)
    clock.note_saving(3.0)
    assert not clock.is_up(60 - 8 - 3 - 2)
    assert clock.is_up(60 - 8 - 3 - 1.9)
    clock.note_evaluation(1.0)
    assert not clock.is_up(60 - 8 - 3 - 1.9)


def test_what_is_left_is_told() -> None:
    time = _Time()
    clock = RunClock(10, None, now=time)
    assert clock.seconds_left(0, 0.0) is None
    clock.note_step(2.0)
    assert clock.seconds_left(4, 8.0) == pytest.approx(12.0)
    assert clock.total_steps(4, 8.0) == 10
    assert clock.progress(4, 8.0) == pytest.approx(0.4)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_steps": None},
        {"max_steps": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"min_lr_ratio": 1.5},
        {"keep": 0},
        {"betas": (0.9, 1.0)},
        {"grad_clip": -1.0},
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        replace(WSD, **changes)  # type: ignore[arg-type]
