"""Reading a pickle without running it: plain values only, and stand-ins for a list of known names.

A pickle is a program for a stack machine (the instructions are documented in the source of Python's
`pickletools`). Unpickling runs it, and may call any function that it names. Here the same program
is followed over plain values; a name is replaced by what the caller's table has for it, and a name
that the table lacks ends the reading. So nothing of the file's choosing is imported or called.

Neither can a small file become a large object: every instruction makes at most one value, of the
size of its own bytes, or joins values that are there already; keys of dictionaries are plain, so
that no nesting is ever hashed; and nothing is compared, printed or copied.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_INSTRUCTIONS = 1_000_000  # a checkpoint of 1,000 tensors has about 60,000
_KEYS = (str, int, float, bool, type(None))
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = frozenset(
    [
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "SHORT_BINSTRING",
    ]
)

_DAMAGE = (
    *(ValueError, TypeError, LookupError, AttributeError, OverflowError),
    DeprecationWarning,  # `pickletools` earns one for a stray backslash; it may be an error
)


class DamagedPickleError(ValueError):
    """Not a pickle, cut short, too long, or made of instructions that plain data has no use for."""


class UnknownNameError(ValueError):
    """It names something that is not in the caller's table, `name`."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it refers to {name}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Function:
    """The stand-in of a callable, as an entry of the table of names."""

    call: Callable[..., Any]


def read_pickle(
    data: bytes,
    names: Mapping[str, object] | None = None,
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """The object that a pickle describes.

    Args:
        data: one whole pickle.
        names: "module.name" to what stands for it; a `Function` may be called by the file.
        persistent: turns a persistent id into what stands for the object outside the file.

    Raises:
        DamagedPickleError: as there; also what a stand-in raises as `TypeError` or `ValueError`.
        UnknownNameError: a name is not in `names`.
    """
    machine = _Machine(names or {}, persistent)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= MAX_INSTRUCTIONS:
                raise DamagedPickleError(f"it has more than {MAX_INSTRUCTIONS} instructions")
            machine.step(opcode.name, argument)
        return machine.stack.pop()
    except (DamagedPickleError, UnknownNameError):
        raise
    except _DAMAGE as error:
        raise DamagedPickleError(str(error)[:300]) from error


class _Machine:
    """The stack, the stacks under its marks, and the memo."""

    def __init__(
        self, names: Mapping[str, object], persistent: Callable[[Any], Any] | None
    ) -> None:
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._names = names
        self._persistent = persistent

    def step(self, name: str, argument: Any) -> None:
        """Follow one instruction."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _MAKERS:
            self.stack.append(_MAKERS[name]())
        elif name in _TUPLES:
            self._join(_TUPLES[name])
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise DamagedPickleError(f"it has an instruction {name}")

    def mark(self, _: Any) -> None:
        self._below.append(self.stack)
        self.stack = []

    def put(self, index: Any) -> None:
        self._memo[len(self._memo) if index is None else index] = self.stack[-1]

    def get(self, index: Any) -> None:
        self.stack.append(self._memo[index])

    def join_marked(self, _: Any) -> None:
        items = self._since_mark()
        self.stack.append(tuple(items))

    def append(self, _: Any) -> None:
        self._extend([self.stack.pop()])

    def appends(self, _: Any) -> None:
        self._extend(self._since_mark())

    def set_item(self, _: Any) -> None:
        self._update([*self._two()])

    def set_items(self, _: Any) -> None:
        self._update(self._since_mark())

    def name(self, argument: Any) -> None:
        """Push what stands for a name, given as "module name" or as the two values on top."""
        name = ".".join(self._two() if argument is None else argument.split(" ", 1))
        if name not in self._names:
            raise UnknownNameError(name)
        self.stack.append(self._names[name])

    def call(self, _: Any) -> None:
        function, arguments = self._two()
        if type(function) is not Function or type(arguments) is not tuple:
            raise DamagedPickleError("it calls what is no function")
        self.stack.append(function.call(*arguments))

    def set_state(self, _: Any) -> None:
        """Drop attributes set on a dictionary, such as the module versions of a state dict."""
        target, _state = self._two()
        if type(target) is not dict:
            raise DamagedPickleError("it sets attributes of what is no dictionary")
        self.stack.append(target)

    def outside(self, _: Any) -> None:
        if self._persistent is None:
            raise DamagedPickleError("it refers to objects outside itself")
        self.stack.append(self._persistent(self.stack.pop()))

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise DamagedPickleError("it appends to what is no list")
        target.extend(items)

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not dict:
            raise DamagedPickleError("it sets items of what is no dictionary")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) not in _KEYS:
                raise DamagedPickleError("a key of a dictionary is not plain")
            target[key] = value

    def _join(self, count: int) -> None:
        first = len(self.stack) - count
        if first < 0:
            raise DamagedPickleError("it takes more values than there are")
        self.stack[first:] = [tuple(self.stack[first:])]

    def _since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self._below.pop()
        return items

    def _two(self) -> tuple[Any, Any]:
        second, first = self.stack.pop(), self.stack.pop()
        return first, second


_MAKERS: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.put),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _Machine.get),
    "TUPLE": _Machine.join_marked,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _Machine.name),
    "REDUCE": _Machine.call,
    "BUILD": _Machine.set_state,
    "BINPERSID": _Machine.outside,
}
