"""The filters, methods, operators and globals that a chat template may use, with their bounds."""

from __future__ import annotations

import json
import re
import string
import types
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import escape

from gptdesk.text.template_budget import Budget, BudgetExceededError

_MAX_NUMBER = 10_000  # as an argument of a filter or method: widths, counts, precisions
_MAX_BITS = 2048


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


PLAIN_FILTERS = _words(
    "abs capitalize count d default dictsort first float groupby int items last length list lower "
    "map max min reject rejectattr reverse round select selectattr slice sort string title trim "
    "truncate unique upper urlencode wordcount"
)
"""Filters of Jinja whose result is about as large as what goes in."""

_TEXT_METHODS = _words(
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit "
    "isidentifier islower isnumeric isprintable isspace istitle isupper lower lstrip partition "
    "removeprefix removesuffix rfind rindex rpartition rsplit rstrip split splitlines startswith "
    "strip swapcase title upper"
)
_CONTAINER_METHODS = _words("copy count get index items keys values")


def check_operator(budget: Budget, operator: str, left: Any, right: Any) -> None:
    """Refuse an operation whose result would be huge, before it is computed.

    Raises:
        BudgetExceededError: it would.
    """
    if operator == "*":
        _check_product(budget, left, right)
    elif operator == "+" and isinstance(left, str) and isinstance(right, str):
        budget.check_length(len(left) + len(right))
    elif operator == "%" and isinstance(left, str):
        check_format(budget, left, right, left.count("%"))
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _check_power(left, right)


def _check_power(base: int, exponent: int) -> None:
    if base.bit_length() * abs(exponent) > _MAX_BITS:
        raise BudgetExceededError("it computes with gigantic numbers")


def _check_product(budget: Budget, left: Any, right: Any) -> None:
    for sequence, times in ((left, right), (right, left)):
        if not isinstance(times, int):
            continue
        if isinstance(sequence, str | bytes):
            budget.check_length(len(sequence) * max(0, times))
        elif isinstance(sequence, list | tuple):
            budget.spend(budget.weigh(sequence) * max(0, times))


def check_format(budget: Budget, pattern: str, arguments: Any, fields: int) -> None:
    """Refuse formatting with wide fields, or many fields of long values.

    Raises:
        BudgetExceededError: the result could be far larger than what goes in.
    """
    # A width may hide behind any flag or key: no long number or star anywhere in the pattern.
    if re.search(r"\d{4}|\*", pattern):
        raise BudgetExceededError("it formats with a very wide field")
    widest = 1000 + 256 * 10 * budget.weigh(arguments)  # repr() may write 10 characters for one
    budget.check_length(len(pattern) + fields * widest)


def check_call(
    budget: Budget, called: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    """Let a template call macros, globals and harmless methods of built-in types only.

    Raises:
        SecurityError: it calls something else.
        BudgetExceededError: the result would be huge.
    """
    if isinstance(called, Macro | LoopContext | Undefined | Cycler | Joiner):
        return
    if any(called is known for known in GLOBALS.values()):
        return
    method = getattr(called, "__wrapped__", called)  # Jinja wraps str.format
    owner = getattr(method, "__self__", None)
    name = getattr(method, "__name__", "")
    if isinstance(method, types.MethodType) and isinstance(owner, LoopContext | Cycler):
        return
    if isinstance(method, types.BuiltinMethodType) and _known_method(owner, name):
        _check_method(budget, owner, name, args, kwargs)
        return
    raise SecurityError(f"a chat template may not call {name or type(called).__name__!r}")


def _known_method(owner: Any, name: str) -> bool:
    if isinstance(owner, str):
        return name in _TEXT_METHODS or name in ("format", "join", "replace")
    return isinstance(owner, dict | list | tuple) and name in _CONTAINER_METHODS


def _check_method(
    budget: Budget, owner: Any, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    if not isinstance(owner, str):
        return
    if name == "format":
        _check_braces(budget, owner, (args, kwargs))
    elif name == "join" and args:
        # An iterator could be walked only once, and joining is what should do that.
        if not isinstance(args[0], str | list | tuple | dict):
            raise SecurityError("join() wants a list; use the filter of this name")
        _check_join(budget, owner, [item for item in args[0] if isinstance(item, str)])
    elif name == "replace" and len(args) > 1:
        _check_replace(budget, owner, args[0], args[1])


def _check_braces(budget: Budget, pattern: str, arguments: Any) -> None:
    fields = list(string.Formatter().parse(pattern))
    if any("{" in (spec or "") for _, _, spec, _ in fields):
        raise BudgetExceededError("it formats with a computed width")
    check_format(budget, pattern, arguments, len(fields))


def _check_join(budget: Budget, separator: str, items: list[str]) -> None:
    budget.check_length(sum(map(len, items)) + len(separator) * len(items))


def _check_replace(budget: Budget, text: Any, old: Any, new: Any) -> None:
    if isinstance(text, str) and isinstance(old, str) and isinstance(new, str):
        budget.check_length(len(text) + text.count(old) * len(new))


def check_numbers(arguments: Iterable[Any]) -> None:
    """Refuse huge widths, counts and precisions.

    Raises:
        BudgetExceededError: one is huge.
    """
    for argument in arguments:
        if isinstance(argument, int) and abs(argument) > _MAX_NUMBER:
            raise BudgetExceededError("it gives a huge number to a filter")


BUDGET = "budget"


class _WantsBudget:
    """What `jinja_pass_arg` says of our filters: the budget comes first."""

    name = BUDGET


def _with_budget(function: Callable[..., Any]) -> Callable[..., Any]:
    function.jinja_pass_arg = _WantsBudget  # type: ignore[attr-defined]
    return function


@_with_budget
def join(budget: Budget, values: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    """The values as one text, `d` between them."""
    if attribute is not None:
        values = [_attribute(value, attribute) for value in values]
    items = [str(budget.charge(value)) for value in values]
    separator = str(d)
    _check_join(budget, separator, items)
    return separator.join(items)


def _attribute(value: Any, name: Any) -> Any:
    if isinstance(value, dict):
        return value.get(name, "")
    raise SecurityError("join(attribute=…) wants a list of mappings")


@_with_budget
def _replace(budget: Budget, text: Any, old: Any, new: Any, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    _check_replace(budget, text, old, new)
    replaced: str = text.replace(old, new, -1 if count is None else count)
    return replaced


@_with_budget
def _indent(
    budget: Budget, text: Any, width: int | str = 4, first: bool = False, blank: bool = False
) -> str:
    text = str(text)
    size = width if isinstance(width, int) else len(width)
    budget.check_length(len(text) + (len(text.splitlines()) + 1) * size)
    indented = FILTERS["indent"](text, width, first, blank)
    return str(indented)


@_with_budget
def _format(budget: Budget, pattern: Any, *args: Any, **kwargs: Any) -> str:
    pattern = str(pattern)
    check_format(budget, pattern, (args, kwargs), pattern.count("%"))
    return str(pattern % (kwargs or args))


def _sum(values: Iterable[Any], attribute: Any = None, start: float = 0) -> Any:
    if attribute is not None:
        values = [_attribute(value, attribute) for value in values]
    if not isinstance(start, int | float):
        raise SecurityError("sum() adds numbers only")  # lists would be copied n times
    return sum(values, start)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter of this name escapes for HTML, which no model was trained on.
    size = len(indent) if isinstance(indent, str) else indent or 0
    if size > 16 or any(len(separator) > 16 for separator in separators or ()):
        raise BudgetExceededError("it writes JSON with a very wide indentation")
    text: str = json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
    return text


def _escape(value: Any) -> str:
    return str(escape(value))


CHECKED_FILTERS: dict[str, Callable[..., Any]] = {
    "center": FILTERS["center"],
    "e": _escape,
    "escape": _escape,
    "format": _format,
    "indent": _indent,
    "join": join,
    "replace": _replace,
    "safe": str,
    "sum": _sum,
    "tojson": _tojson,
}
"""Filters that could make much of little, with their own bounds."""


class TemplateNamespace(Namespace):
    """`namespace()`: attributes that a template may set; none that Python gives a meaning."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # `self` may be a keyword
        self, *rest = args
        values = dict(*rest, **kwargs)
        for name in values:
            _refuse_private(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _refuse_private(name)
        super().__setitem__(name, value)

    def __repr__(self) -> str:
        # The inherited one prints the values: namespaces that hold one another would never end.
        return "<namespace>"


def _refuse_private(name: Any) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may not hold {name!r}")


class TemplateRefusal(jinja2.TemplateError):
    """The template itself says that it does not take this conversation."""


def _raise_exception(message: Any) -> NoReturn:
    raise TemplateRefusal(str(message))


def _strftime_now(pattern: str) -> str:
    # The C library would honour a width, as in %999999999d.
    if len(pattern) > 200 or re.search(r"%[^a-zA-Z%-]|%-[^a-zA-Z]", pattern):
        raise SecurityError("strftime_now() wants a plain format")
    return datetime.now().strftime(pattern)  # noqa: DTZ005 - the writer's own clock is meant


def _dict(*args: Any, **kwargs: Any) -> dict[Any, Any]:
    return dict(*args, **kwargs)


GLOBALS: dict[str, Any] = {
    "cycler": Cycler,
    "dict": _dict,
    "joiner": Joiner,
    "namespace": TemplateNamespace,
    "raise_exception": _raise_exception,
    "range": range,
    "strftime_now": _strftime_now,
}
