"""The order that the dialog gives, and how it is kept for another time."""

from __future__ import annotations

from typing import Any

import pytest

from gptdesk.cli.parser import build_parser
from gptdesk.ui.training.request import TeachingRequest, threads_for_training

ORDER = TeachingRequest("/m/model", ("/d/a.txt", "/d/letters"), "/o/my-style", 7, "full")


def test_the_command_understands_it() -> None:
    options = build_parser().parse_args(ORDER.arguments())
    assert options.path == "/m/model"
    assert options.data == ["/d/a.txt", "/d/letters"]
    assert (options.out, options.method, options.max_minutes) == ("/o/my-style", "full", 7)
    assert options.json
    assert options.threads == threads_for_training() >= 1


def test_it_is_kept_and_found_again() -> None:
    assert TeachingRequest.from_setting(ORDER.as_setting()) == ORDER


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"model": "m"},
        {"model": "m", "sources": 3, "out": "o"},
        {"model": "m", "sources": [], "out": "o"},
        {"model": "m", "sources": ["a"], "out": "o", "minutes": 0},
        {"model": "m", "sources": ["a"], "out": "o", "minutes": "x"},
        {"model": "m", "sources": ["a"], "out": "o", "method": "x"},
        {"model": "m", "sources": ["a"], "out": "o", "other": 1},
        {"model": 3, "sources": ["a"], "out": "o"},
    ],
)
def test_what_somebody_changed_in_the_settings_is_not_taken_up(value: dict[str, Any]) -> None:
    assert TeachingRequest.from_setting(value) is None
