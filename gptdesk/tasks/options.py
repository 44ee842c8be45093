"""Options of a task, declared once: the window's form and the CLI's flags are made from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, TypeVar

from gptdesk.errors import OptionError

_KEY = "gptdesk.option"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OptionInfo:
    """How one option is shown and checked.

    Attributes:
        label: for the person, in English; the UI translates it.
        help: one sentence.
        choices: permitted values with their labels, in order; empty for free values.
        minimum, maximum: bounds of a number.
    """

    label: str
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None


def option(default: Any, info: OptionInfo) -> Any:
    """A dataclass field with its presentation attached."""
    return field(default=default, metadata={_KEY: info})


def option_fields(options_type: type[Any]) -> list[tuple[Field[Any], OptionInfo]]:
    """The fields of an options dataclass with how each is shown."""
    return [(f, f.metadata[_KEY]) for f in fields(options_type) if _KEY in f.metadata]


def make_options(options_type: type[T], values: Mapping[str, Any]) -> T:
    """Build options from plain values.

    Raises:
        OptionError: a name is unknown, a type wrong or a value not permitted.
    """
    known = {f.name: (f, info) for f, info in option_fields(options_type)}
    checked = {}
    for name, value in values.items():
        if name not in known:
            raise OptionError(f"Unknown option {name!r}.", f"Known: {', '.join(sorted(known))}.")
        checked[name] = _checked(name, value, type(known[name][0].default), known[name][1])
    return options_type(**checked)


def _checked(name: str, value: Any, wanted: type, info: OptionInfo) -> Any:
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise OptionError(f"Option {name} must be {wanted.__name__}, not {value!r}.")
    if info.choices and value not in [key for key, _ in info.choices]:
        allowed = ", ".join(key for key, _ in info.choices)
        raise OptionError(f"Option {name} cannot be {value!r}.", f"Choose one of: {allowed}.")
    if isinstance(value, int | float):
        _check_range(name, value, info)
    return value


def _check_range(name: str, value: float, info: OptionInfo) -> None:
    too_low = info.minimum is not None and not value >= info.minimum
    too_high = info.maximum is not None and not value <= info.maximum
    if too_low or too_high:
        raise OptionError(f"Option {name} = {value} is outside {info.minimum} … {info.maximum}.")
