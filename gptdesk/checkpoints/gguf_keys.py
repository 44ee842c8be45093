"""Typed access to the metadata of a GGUF file, whose keys start with the architecture's name."""

from __future__ import annotations

import struct
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader
from gptdesk.checkpoints.gguf_header import GgufHeader
from gptdesk.errors import UnsupportedModelError


class GgufReader:
    """Typed access to the metadata of one architecture; complaints name the file and the key."""

    def __init__(self, header: GgufHeader, architecture: str) -> None:
        self.header = header
        self._prefix = architecture
        self._reader = ConfigReader(header.metadata, str(header.path))

    def key(self, name: str) -> str:
        """The whole key, as in the file."""
        return f"{self._prefix}.{name}"

    def has(self, name: str) -> bool:
        """Whether the file says anything about it."""
        return self.key(name) in self.header.metadata

    def value(self, name: str) -> Any:
        """Whatever the file says about it; None for nothing."""
        return self.header.metadata.get(self.key(name))

    def integer(self, name: str, default: int | None = None, *, least: int = 1) -> int:
        """A size; a list with one value for every layer counts as that value."""
        values = self.value(name)
        if isinstance(values, list) and values and len(set(values)) == 1 and least:
            single = ConfigReader({self.key(name): values[0]}, self._reader.source)
            return single.integer(self.key(name), default, least=least)
        return self._reader.integer(self.key(name), default, least=least)

    def number(self, name: str, default: float | None = None) -> float:
        """A number; of the decimal fractions that became this 32-bit one, the shortest."""
        return shortest(self._reader.number(self.key(name), default))

    def unsupported(self, name: str) -> UnsupportedModelError:
        """The error of a value that is well-formed and not built."""
        return self._reader.unsupported(self.key(name), self.value(name))


def shortest(number: float) -> float:
    """The shortest decimal fraction that becomes the same 32-bit float: 1e-06, not 9.99999997e-07.

    It is what somebody once wrote into config.json.
    """
    form = struct.Struct("<f")
    try:
        exact = form.pack(number)
    except OverflowError:
        return number
    for digits in range(1, 9):
        candidate = float(f"{number:.{digits}g}")
        if form.pack(candidate) == exact:
            return candidate
    return number
