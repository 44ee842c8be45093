"""Remembers the height of every paragraph, measured or estimated, and finds one by its place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class BlockHeights:
    """Heights of the paragraphs of one document, from the top down, in pixels."""

    def __init__(self, top: float) -> None:
        self.page_width = -1.0  # the page the heights were made for
        self._top = top
        self._heights = [0.0]
        self._exact = bytearray(1)
        self._tops = [top]
        self._clean = 1  # how many of the tops are right; the rest is worked out when asked for

    def __len__(self) -> int:
        return len(self._heights)

    @property
    def total(self) -> float:
        """Height of all paragraphs and the margin above them."""
        return self._top_of(len(self._heights))

    @property
    def all_exact(self) -> bool:
        """Whether no estimate is left."""
        return 0 not in self._exact

    def span(self, number: int) -> tuple[float, float]:
        """Top and height of a paragraph."""
        return self._top_of(number), self._heights[number]

    def at(self, y: float) -> int:
        """The paragraph at a height; the first or last beyond the ends."""
        self._top_of(len(self._heights))
        number = bisect_right(self._tops, y) - 1
        return max(0, min(number, len(self._heights) - 1))

    def is_exact(self, number: int) -> bool:
        """Whether a paragraph was measured since it last changed."""
        return bool(self._exact[number])

    def set_exact(self, number: int, height: float) -> bool:
        """Note a measured height; tell whether it differs from what was assumed."""
        self._exact[number] = 1
        if self._heights[number] == height:
            return False
        self._heights[number] = height
        self._clean = min(self._clean, number + 1)
        return True

    def invalidate(self, number: int) -> None:
        """A paragraph has to be measured again; its old height is the estimate."""
        self._exact[number] = 0

    def replace(self, first: int, count: int, size: int, estimates: Sequence[float]) -> None:
        """Note that `count` paragraphs from `first` on are new; there are `size` altogether now.

        Where a paragraph was merely changed, its old height stays as the estimate: no jump.
        """
        gone = count + len(self._heights) - size
        if gone == count:
            self._exact[first : first + count] = bytes(count)
            return
        self._heights[first : first + gone] = estimates
        self._exact[first : first + gone] = bytes(count)
        self._clean = min(self._clean, first + 1)

    def reset(self, estimates: Sequence[float]) -> None:
        """Every paragraph is to be measured anew."""
        self._heights = list(estimates)
        self._exact = bytearray(len(estimates))
        self._clean = 1

    def next_estimates(self, limit: int) -> list[int]:
        """The first paragraphs that are not measured, at most `limit`."""
        found: list[int] = []
        number = self._exact.find(0)
        while number >= 0 and len(found) < limit:
            found.append(number)
            number = self._exact.find(0, number + 1)
        return found

    def _top_of(self, number: int) -> float:
        """Top of a paragraph; the sum of all heights for the one after the last."""
        if number >= self._clean:
            known = self._tops[self._clean - 1]
            missing = self._heights[self._clean - 1 : number]
            self._tops[self._clean - 1 :] = accumulate(missing, initial=known)
            self._clean = number + 1
        return self._tops[number]
