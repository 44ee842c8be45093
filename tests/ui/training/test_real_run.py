"""The whole of it, nothing standing in: a tiny model learns a text in a child process and uses it."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from gptdesk.training.events import TrainingFinished
from tests.ui.training.teacher import Teacher

WORDS = [
    "tide",
    "harbour",
    "boat",
    "rope",
    "lantern",
    "gull",
    "stone",
    "water",
    "keeper",
    "letter",
    "evening",
    "mud",
]


@pytest.mark.slow
def test_a_tiny_model_learns_and_writes_with_what_it_learnt(
    teacher: Teacher, tmp_path: Path
) -> None:
    draw = random.Random(3)
    for number in range(3):
        lines = [f"The {' '.join(draw.choices(WORDS, k=9))}.\n\n" for _ in range(60)]
        (tmp_path / f"chapter {number}.md").write_text("".join(lines))
    teacher.open()
    teacher.add(tmp_path)
    teacher.click("start")
    end = teacher.finish()
    assert isinstance(end, TrainingFinished), end
    assert end.reason == "done"
    progress = teacher.controller.progress
    assert progress.step is not None
    assert progress.curve.training
    assert progress.curve.held_out
    report = progress.report
    assert report is not None
    assert report.perplexity_before is not None
    assert report.perplexity_after is not None
    assert math.isfinite(report.perplexity_after)
    assert report.perplexity_after < report.perplexity_before
    assert "now foresees your words better" in teacher.shown("report")
    teacher.click("use")
    teacher.until(lambda: not teacher.driver.window.worker.open_jobs)
    current = teacher.driver.window.models.current
    assert current.adapter.name == "my-style"
    teacher.driver.type("The tide")
    teacher.driver.generate()
    assert teacher.driver.editor.has_provisional
    assert teacher.driver.said == []
