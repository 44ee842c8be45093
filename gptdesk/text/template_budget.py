"""What a chat template may spend: every loop turn, call and value costs, and the purse is small.

A template comes with a model, from strangers. Counting work, rather than watching a clock or
tracing, ends a hostile template at the same place in any thread and on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

_CHARACTERS_PER_UNIT = 256  # so many cost about as much to copy as one element to visit
_MAX_CHARACTERS = 4 << 20  # of a single string, beside what the conversation itself has
_MAX_BITS = 2048  # of a whole number; more is never needed and multiplies into minutes
_UNITS = 100_000


class BudgetExceededError(Exception):
    """The template did more than a chat template has reason to do."""


class Budget:
    """The purse of one rendering.

    Args:
        conversation: what the template is given; it may spend more on a longer one.
    """

    def __init__(self, conversation: Any) -> None:
        self._left = 1 << 60
        size = self.weigh(conversation)
        self._left = _UNITS + 50 * size
        self._max_characters = _MAX_CHARACTERS + 4 * _CHARACTERS_PER_UNIT * size

    def spend(self, units: int) -> None:
        """Pay, or end the rendering.

        Raises:
            BudgetExceededError: there are not so many units left.
        """
        self._left -= units
        if self._left < 0:
            raise BudgetExceededError("it does far more work than a chat template needs")

    def charge(self, value: Any) -> Any:
        """Pay for handling `value` once; returns it."""
        self.spend(self.weigh(value))
        return value

    def check_length(self, characters: int) -> None:
        """Refuse a string before it is made.

        Raises:
            BudgetExceededError: it would be too long, or cost more than is left.
        """
        self.check_total(characters)
        self.spend(characters // _CHARACTERS_PER_UNIT)

    def check_total(self, characters: int) -> None:
        """Refuse a string that grew too long, without paying for it again.

        Raises:
            BudgetExceededError: it did.
        """
        if characters > self._max_characters:
            raise BudgetExceededError(f"it makes a text of {characters} characters")

    def weigh(self, value: Any) -> int:
        """Cost of reading `value` once, everything in it counted as often as it occurs.

        Raises:
            BudgetExceededError: it costs more than is left, or is too long or too large.
        """
        total = 0
        waiting = [value]
        while waiting:
            item = waiting.pop()
            total += self._own_weight(item)
            if total > self._left:
                raise BudgetExceededError("it builds a value that is far too large")
            if isinstance(item, Mapping):
                waiting.extend(item.keys())
                waiting.extend(item.values())
            elif isinstance(item, list | tuple | Set):
                waiting.extend(item)
        return total

    def _own_weight(self, item: Any) -> int:
        if isinstance(item, str | bytes):
            if len(item) > getattr(self, "_max_characters", len(item)):
                raise BudgetExceededError(f"it makes a text of {len(item)} characters")
            return 1 + len(item) // _CHARACTERS_PER_UNIT
        if isinstance(item, int) and item.bit_length() > _MAX_BITS:
            raise BudgetExceededError("it computes with gigantic numbers")
        # A range costs its length at once: C code may walk it without asking again.
        return 1 + (len(item) if isinstance(item, range | list | tuple | Set | Mapping) else 0)
