"""The figures of a run on disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gptdesk.training.events import Evaluated, StepDone, TrainingWarning
from gptdesk.training.metrics import MetricsLog, read_metrics
from gptdesk.training.plots import draw_loss


def step_done(step: int, loss: float = 3.0) -> StepDone:
    return StepDone(step, 9, loss, 1e-3, 0.5, 64 * step, 900.0)


def record(folder: Path, start: int, *events: StepDone | Evaluated) -> list[TrainingWarning]:
    log = MetricsLog(folder, start, tensorboard=False)
    warnings = [warning for event in events for warning in log.write(event)]
    log.close()
    return warnings


def test_resuming_drops_what_will_be_recorded_again(tmp_path: Path) -> None:
    record(tmp_path, 0, step_done(1), step_done(2), Evaluated(2, 3.1), step_done(3))
    record(tmp_path, 2, step_done(3, 2.5))
    assert [(data["kind"], data["step"], data["loss"]) for data in read_metrics(tmp_path)] == [
        ("train", 1, 3.0),
        ("train", 2, 3.0),
        ("held_out", 2, 3.1),
        ("train", 3, 2.5),
    ]


def test_a_line_cut_short_is_left_out(tmp_path: Path) -> None:
    record(tmp_path, 0, step_done(1))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "step": 2, "lo')
    assert len(read_metrics(tmp_path)) == 1
    record(tmp_path, 1, step_done(2))
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2]


def test_nowhere_to_write_is_told_once(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, 0, tensorboard=False)
    log._file.close()
    if not Path("/dev/full").exists():
        pytest.skip("no device that is always full")
    with Path("/dev/full").open("a") as log._file:
        warnings = [list(log.write(step_done(step))) for step in (1, 2)]
        assert [len(told) for told in warnings] == [1, 0]
        log.close()


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    assert draw_loss(tmp_path) is None
    record(tmp_path, 0, step_done(1), Evaluated(1, 3.1), step_done(2, float("nan")))
    assert draw_loss(tmp_path) == tmp_path / "loss.png"
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_no_picture_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, 0, step_done(1))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert draw_loss(tmp_path) is None


def test_tensorboard_reads_the_curve(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for start, steps in ((0, (1, 2, 3)), (2, (3, 4))):
        log = MetricsLog(tmp_path, start, tensorboard=True)
        for step in steps:
            list(log.write(step_done(step, loss=10.0 * start + step)))
        log.close()
    curve = EventAccumulator(str(tmp_path / "tensorboard"))
    curve.Reload()
    points = [(point.step, point.value) for point in curve.Scalars("train/loss")]
    assert points == [(1, 1), (2, 2), (3, 23), (4, 24)]
