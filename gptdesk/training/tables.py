"""Reads TOML into frozen dataclasses and says exactly what is wrong with it.

A dataclass is a table, its fields are the keys, and a field's annotation says what its value may
be: `Annotated[int, Range(1, 9)]`. Values from a file and from Python code are checked alike. A key
that is a word of Python, such as `continue`, belongs to the field `continue_`.
"""

from __future__ import annotations

import dataclasses
import difflib
import keyword
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, Union

from gptdesk.errors import OptionError

_TYPE_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    Path: "a path in quotes",
    bool: "true or false",
}
_MISSING = dataclasses.MISSING


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers that a key may have, both bounds included; None is no bound."""

    low: float | None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"at least {self.low}" if self.high is None else f"at most {self.high}"
        return f"from {self.low} to {self.high}"

    def holds(self, value: float) -> bool:
        """Whether it is within the bounds."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a configuration; subclasses are frozen dataclasses with keyword-only fields.

    Raises:
        OptionError: a value has the wrong type or is out of range; names the table and the key.
    """

    TABLE: ClassVar[str] = ""

    def __post_init__(self) -> None:
        wanted = _types(type(self))
        for name, value in self.items():
            if not _fits(value, wanted[name]):
                raise _wrong(self.TABLE, name, value, describe(wanted[name]))

    def items(self) -> list[tuple[str, Any]]:
        """Each key and its value."""
        return [(name, getattr(self, _field_name(name))) for name in _types(type(self))]


T = TypeVar("T", bound=Table)


def read_table(kind: type[T], data: Mapping[str, Any]) -> T:
    """Build a table from parsed TOML; lists become tuples, nested tables their classes.

    Raises:
        OptionError: a key is unknown (the nearest valid one is named), missing, or has a value
            of the wrong type or out of range.
    """
    wanted = _types(kind)
    for name in data:
        if name not in wanted:
            raise _unknown(kind.TABLE, name, wanted)
    values = {_field_name(name): _convert(value, wanted[name]) for name, value in data.items()}
    for field in dataclasses.fields(kind):
        optional = field.default is not _MISSING or field.default_factory is not _MISSING
        if not optional and field.name not in values:
            raise OptionError(
                f"{place(kind.TABLE, field.name)} is missing.",
                f"Add the line `{field.name} = …` below [{kind.TABLE}]."
                if kind.TABLE
                else f"Add the table [{field.name}].",
            )
    return kind(**values)


def place(table: str, name: str) -> str:
    """How a key is called in a message: `[run] seed`, or `[run]` for a whole table."""
    if not table:
        return f"[{name}]"
    return f"[{table}] {name}" if name else f"[{table}]"


def describe(wanted: Any) -> str:
    """What a value of this type is, in words."""
    choices = _choices(wanted)
    if choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in choices)
    members = [member for member in _members(wanted) if member is not types.NoneType]
    return " or ".join(_describe_one(member) for member in members)


def _describe_one(wanted: Any) -> str:
    origin = typing.get_origin(wanted)
    if origin is typing.Annotated:
        inner, limits = typing.get_args(wanted)
        return f"{_describe_one(inner)} {limits}"
    if origin is tuple:
        return f"a list, each entry {describe(typing.get_args(wanted)[0])}"
    if isinstance(wanted, type) and issubclass(wanted, Table):
        return "a table of keys and values"
    return _TYPE_NAMES[wanted]


def nearest(name: str, known: Sequence[str]) -> str:
    """The known name that a mistyped one most resembles; "" when none does."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.55)
    return close[0] if close else ""


def _types(kind: type[Table]) -> dict[str, Any]:
    """Each key of a table and the type of its value."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {_key(field.name): hints[field.name] for field in dataclasses.fields(kind)}


def _key(field_name: str) -> str:
    bare = field_name.removesuffix("_")
    return bare if keyword.iskeyword(bare) else field_name


def _field_name(key: str) -> str:
    return f"{key}_" if keyword.iskeyword(key) else key


def _members(wanted: Any) -> tuple[Any, ...]:
    origin = typing.get_origin(wanted)
    return typing.get_args(wanted) if origin in (Union, types.UnionType) else (wanted,)


def _choices(wanted: Any) -> list[str]:
    return [
        choice
        for member in _members(wanted)
        if typing.get_origin(member) is Literal
        for choice in typing.get_args(member)
    ]


def _fits(value: Any, wanted: Any) -> bool:
    return any(_fits_one(value, member) for member in _members(wanted))


def _fits_one(value: Any, wanted: Any) -> bool:
    origin = typing.get_origin(wanted)
    if origin is typing.Annotated:
        inner, limits = typing.get_args(wanted)
        return _fits_one(value, inner) and limits.holds(value)
    if origin is Literal:
        return value in typing.get_args(wanted)
    if origin is tuple:
        inner = typing.get_args(wanted)[0]
        return isinstance(value, tuple) and all(_fits(item, inner) for item in value)
    if isinstance(value, bool):  # which Python counts as a whole number
        return wanted is bool
    if wanted is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, wanted)


def _convert(value: Any, wanted: Any) -> Any:
    """A value of parsed TOML as the dataclass holds it; what does not fit is left for the check."""
    for member in _members(wanted):
        if typing.get_origin(member) is tuple and isinstance(value, list):
            return tuple(_convert(item, typing.get_args(member)[0]) for item in value)
        if isinstance(member, type) and issubclass(member, Table) and isinstance(value, dict):
            return read_table(member, value)
        if member is Path and isinstance(value, str):
            return Path(value)
    return value


def _wrong(table: str, name: str, value: Any, wanted: str) -> OptionError:
    close = ""
    if isinstance(value, str) and wanted.startswith("one of"):
        close = nearest(value, wanted.removeprefix("one of ").replace('"', "").split(", "))
    hint = f'Did you mean "{close}"?' if close else "Correct the value."
    return OptionError(f"{place(table, name)} must be {wanted}; it is {shown(value)}.", hint)


def _unknown(table: str, name: str, known: Mapping[str, Any]) -> OptionError:
    if table:
        what, options = f"{place(table, name)} is not a key that exists.", list(known)
    else:
        what, options = f"There is no table [{name}].", [f"[{item}]" for item in known]
        homes = [item for item, kind in known.items() if name in _types(kind)]
        if homes:
            return OptionError(
                f"{name} stands above the tables.", f"Move the line below [{homes[0]}]."
            )
    close = nearest(name if table else f"[{name}]", options)
    hint = f"Did you mean {close}?" if close else f"There are: {', '.join(options)}."
    return OptionError(what, hint)


def shown(value: Any) -> str:
    """A value as a person wrote it in TOML, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    text = f'"{value}"' if isinstance(value, str | Path) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
