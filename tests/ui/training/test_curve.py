"""The loss as a curve, its axes and its picture."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gptdesk.ui import theme
from gptdesk.ui.training.curve import LossCurve, round_ticks
from gptdesk.ui.training.plot import LossPlot


@given(st.floats(-50, 50), st.floats(0, 50), st.integers(2, 9))
def test_ticks_are_few_and_reach_around(low: float, span: float, most: int) -> None:
    ticks = round_ticks(low, low + span, most)
    assert 2 <= len(ticks) <= most + 1
    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= low + span - 1e-6
    assert all(later > earlier for earlier, later in itertools.pairwise(ticks))


def test_the_smoothed_loss_follows_without_leaning_towards_zero() -> None:
    curve = LossCurve()
    for step in range(1, 200):
        curve.add(step, 5.0 if step < 100 else 3.0)
    values = dict(curve.training)
    assert math.isclose(values[1], 5.0)
    assert math.isclose(values[99], 5.0)
    assert 3.0 < values[120] < 3.6


def test_a_long_run_keeps_a_bounded_number_of_points_and_its_ends() -> None:
    curve = LossCurve()
    for step in range(1, 10_001):
        curve.add(step, 1.0)
    assert len(curve.training) <= 1200
    assert curve.training[0][0] == 1
    assert curve.last_step == 10_000


def test_what_is_no_number_is_left_out() -> None:
    curve = LossCurve()
    curve.add(1, math.nan)
    curve.add_held_out(1, math.inf)
    assert curve.bounds is None


def test_the_plot_shows_line_points_and_colours(qtbot: QtBot, dressed: QApplication) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.resize(520, 240)
    empty = picture(plot)
    curve = LossCurve()
    curve.add(1, 4.0)
    plot.show_curve(curve, 100)
    single = picture(plot)
    for step in range(2, 60):
        curve.add(step, 4.0 - step / 40)
    plot.show_curve(curve, 100)
    line = picture(plot)
    curve.add_held_out(50, 3.2)
    plot.show_curve(curve, 100)
    points = picture(plot)
    assert len({hash(bytes(image.constBits())) for image in (empty, single, line, points)}) == 4
    assert has(line, theme.colors().accent)
    assert has(points, theme.colors().amber)
    assert not has(line.copy(340, 40, 170, 160), theme.colors().accent), "nothing behind step 60"
    assert "3.20" in plot.accessibleDescription()
    theme.manager().apply("dark")
    assert has(picture(plot), theme.colors().card)


def test_a_plot_of_one_measurement_only(qtbot: QtBot, dressed: QApplication) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.resize(300, 190)
    curve = LossCurve()
    curve.add_held_out(0, 4.0)
    plot.show_curve(curve)
    assert has(picture(plot), theme.colors().amber)


def picture(plot: LossPlot) -> QImage:
    return plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def has(image: QImage, color: str) -> bool:
    wanted = int(color[1:], 16)
    rows = range(image.height())
    return any(image.pixel(x, y) & 0xFFFFFF == wanted for y in rows for x in range(image.width()))
