"""What the report and the figures say to somebody who has never trained anything."""

from __future__ import annotations

import dataclasses

import pytest

from gptdesk.training.events import FinetuneReport, StepDone
from gptdesk.ui.training.words import copied_words, left_words, report_words, step_words

REPORT = FinetuneReport("REPORT.md", "lora", 50.0, 40.0, None, None, 900, 0)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (50.0, 40.0, "better: perplexity 50.0 → 40.0, 20\u00a0% lower."),
        (1500.4, 900.2, "better: perplexity 1\u00a0500 → 900, 40\u00a0% lower."),
        (109.8, 94.7, "perplexity 109.8 → 94.7"),
        (50.0, 49.9, "as before: perplexity 50.0 → 49.9."),
        (50.0, 60.0, "worse than before: perplexity 50.0 → 60.0."),
        (None, None, "nothing was measured"),
        (50.0, None, "nothing was measured"),
    ],
)
def test_the_figures_are_put_honestly(before: float | None, after: float | None, said: str) -> None:
    report = dataclasses.replace(REPORT, perplexity_before=before, perplexity_after=after)
    assert said in report_words(report)


def test_a_long_copy_is_shown_by_its_beginning() -> None:
    report = dataclasses.replace(REPORT, copied_words=60, copied_text="and so on " * 20)
    assert "60 words" in copied_words(report)
    assert len(copied_words(report)) < 220
    assert "repeats nothing" in copied_words(REPORT)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute left"),
        (55, "about a minute left"),
        (400, "about 7 minutes left"),
        (3 * 3600, "about 3 hours left"),
    ],
)
def test_the_time_left_is_no_more_precise_than_an_estimate(seconds: float, said: str) -> None:
    assert left_words(seconds) == said


def test_an_unknown_time_is_not_told() -> None:
    assert step_words(StepDone(1, 0, 4.0, 1e-3, 0.5, 64, 1234.4)) == "1\u00a0234 tokens/s"
