"""Options are checked, every task's can be shown, and unknown tasks are refused."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from gptdesk.errors import NotBuiltError, OptionError
from gptdesk.tasks.options import OptionInfo, make_options, option, option_fields
from gptdesk.tasks.registry import PLANNED, TASKS, get_task


@dataclass(frozen=True)
class Options:
    form: str = option("a", OptionInfo("Form", choices=(("a", "A"), ("b", "B"))))
    count: int = option(3, OptionInfo("Count", minimum=2, maximum=9))
    share: float = option(0.5, OptionInfo("Share", minimum=0, maximum=1))


def test_values_and_defaults() -> None:
    assert make_options(Options, {"count": 9, "share": 1}) == Options(count=9, share=1.0)
    assert isinstance(make_options(Options, {"share": 1}).share, float)


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"colour": 1}, "Unknown option 'colour'"),
        ({"form": "c"}, "form cannot be 'c'"),
        ({"form": 1}, "must be str"),
        ({"count": 10}, "count = 10 is outside"),
        ({"count": "3"}, "must be int"),
        ({"count": True}, "must be int"),
        ({"count": 3.0}, "must be int"),
        ({"share": float("nan")}, "outside"),
    ],
)
def test_wrong_values(values: dict[str, object], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        make_options(Options, values)


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.id)
def test_every_option_of_every_task_can_be_shown(task: object) -> None:
    fields = option_fields(task.options_type)  # type: ignore[attr-defined]
    assert fields
    for field, info in fields:
        assert info.label
        assert info.help
        assert not info.choices or field.default in [key for key, _ in info.choices]


def test_tasks_that_are_not_there() -> None:
    for task_id in PLANNED:
        with pytest.raises(NotBuiltError, match="not built yet"):
            get_task(task_id)
    with pytest.raises(OptionError, match="no task"):
        get_task("sing")
