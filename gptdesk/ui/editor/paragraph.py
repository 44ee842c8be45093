"""Breaks one paragraph into lines, leaving room for provisional text in the middle of it.

The paragraph's own QTextLayout never holds the provisional text: its line is broken at the anchor,
the provisional text gets a layout of its own that goes on where that line ends, and the rest of the
paragraph goes on where the provisional text ends. So every position in the paragraph's layout is a
position in the document, and Qt's caret movement, selection and input methods work unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import cast

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QTextLayout, QTextLine, QTextOption

from gptdesk.ui.editor.metrics import PARAGRAPH_GAP, PageMetrics
from gptdesk.ui.editor.raw_text import python_index, utf16_length

_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60\U00020000-\U0003ffff]")
_FIRST_PIECE = re.compile(r"\s*(?:[^\s\u2e80-\uffef]+|\S)?")  # what cannot be broken at its start
_HEADING_FACTOR = 1.15  # a line this much taller than the body font's is a heading's
LINE_SEPARATOR = "\u2028"


def is_cjk(text: str) -> bool:
    """Tell whether a paragraph is set in Chinese, Japanese or Korean: a tenth of it or more."""
    head = text[:400]
    return 10 * len(_CJK.findall(head)) >= max(1, len(head.strip()))


@dataclass
class Gap:
    """Provisional text on its way into a paragraph, and where it came to stand.

    Args:
        at: where it stands, as an index of the paragraph's layout.
        text: what it says; lines separated by a new line.
        layout: its own lines, placed relative to the paragraph.
    """

    at: int
    text: str
    layout: QTextLayout
    start: QPointF = field(default_factory=QPointF)  # top left of the caret before it
    end: QPointF = field(default_factory=QPointF)  # top left of the caret after it


class LineBreaker:
    """Places the lines of one paragraph from the top down."""

    def __init__(self, metrics: PageMetrics, width: float, text: str) -> None:
        self._metrics = metrics
        self._width = width
        self._text = text
        self._pitch = metrics.pitch(is_cjk(text))
        self._x = 0.0  # where the next line begins; the rest of this row is free
        self._y = 0.0
        self._row_open = False  # something stands in this row already
        self._row_pitch = 0.0  # of what stands there: a heading needs more than the text
        self._row_baseline = 0.0  # relative to the top of the row; 0 for the text's own
        self._right_to_left = False
        self._swallowed = 0.0  # width of spaces between the anchor and the text after it

    def break_lines(self, layout: QTextLayout, gap: Gap | None) -> float:
        """Lay the paragraph out and return its height, the gap below it included."""
        if gap and not self._text:
            self._pitch = self._metrics.pitch(is_cjk(gap.text))
        self._right_to_left = layout_is_rtl(layout)
        layout.beginLayout()
        position, pending = 0, gap
        while True:
            if pending and position >= pending.at and (position or self._text):
                self._place_gap(pending)
                pending = None
            line = layout.createLine()
            if not line.isValid():
                break
            position = self._place_line(line, pending)
        if pending:
            self._place_gap(pending)
        layout.endLayout()
        if self._row_open:
            self._next_row()
        blank = not self._text and not (gap and gap.text)
        return self._y if blank else self._y + PARAGRAPH_GAP

    def _place_line(self, line: QTextLine, gap: Gap | None) -> int:
        """Fill `line`, at most up to the gap; return the layout index after it."""
        start = line.textStart()
        self._continue_row(_slice(self._text, start, start + 200))
        line.setLineWidth(max(1.0, self._width - self._x))
        if gap and start < gap.at < start + line.textLength():
            line.setNumColumns(gap.at - start, self._width - self._x)
        end = start + line.textLength()
        pitch = self._pitch_of(line)
        line.setPosition(QPointF(self._x, self._y + self._lead(line, pitch)))
        if gap and gap.at <= end:
            # A line swallows the spaces it breaks at: those after the anchor are given room later.
            self._x = x_at(line, gap.at)
            self._swallowed = x_at(line, end) - self._x
            self._row_open, self._row_pitch = True, pitch
            self._row_baseline = line.y() + line.ascent() - self._y
        else:
            self._next_row(pitch)
        return end

    def _place_gap(self, gap: Gap) -> None:
        gap.start = QPointF(self._x, self._caret_top())
        self._continue_row(gap.text)
        gap.layout.beginLayout()
        while (line := gap.layout.createLine()).isValid():
            line.setLineWidth(max(1.0, self._width - self._x))
            top = self._caret_top() + self._metrics.ascent - line.ascent()
            line.setPosition(QPointF(self._x, top))
            end = line.textStart() + line.textLength()
            self._x = x_at(line, end)
            if end < utf16_length(gap.text):
                said = _slice(gap.text, line.textStart(), end)
                self._next_row(gap=said.endswith("\n") and said != "\n")
        gap.layout.endLayout()
        if gap.text.endswith("\n"):
            self._next_row(gap=True)
        gap.end = QPointF(self._x, self._caret_top())
        self._x += self._swallowed
        self._row_open = True

    def _continue_row(self, text: str) -> None:
        """Begin a new row where `text` cannot go on in the one that is begun."""
        if self._row_open and (self._right_to_left or self._overflows(text, self._x)):
            # Right-to-left rows are filled from the other end: each part gets rows of its own.
            self._next_row()

    def _next_row(self, pitch: float = 0.0, *, gap: bool = False) -> None:
        self._y += max(pitch or self._pitch, self._row_pitch) + (PARAGRAPH_GAP if gap else 0.0)
        self._x, self._row_open = 0.0, False
        self._row_pitch = self._row_baseline = 0.0

    def _pitch_of(self, line: QTextLine) -> float:
        tall = line.height() > self._metrics.height * _HEADING_FACTOR
        heading = tall and self._text.startswith("#")
        return line.height() * 1.25 if heading else self._pitch

    def _lead(self, line: QTextLine, pitch: float) -> float:
        """Space above a line so that baselines keep their pitch whatever fonts it mixes."""
        if pitch != self._pitch:
            return (pitch - line.height()) / 2
        return self._caret_top() - self._y + self._metrics.ascent - line.ascent()

    def _caret_top(self) -> float:
        """Top of a caret of the text's size, on the baseline of the row."""
        if self._row_baseline:
            return self._y + self._row_baseline - self._metrics.ascent
        return self._y + (self._pitch - self._metrics.height) / 2

    def _overflows(self, text: str, x: float) -> bool:
        piece = _FIRST_PIECE.match(text)
        measured = QFontMetricsF(self._metrics.font).horizontalAdvance(piece[0] if piece else "")
        return x + measured > self._width


def wrapping(option: QTextOption, direction: Qt.LayoutDirection) -> QTextOption:
    """The options every layout of the page shares; right-to-left text stands on the right."""
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    option.setTextDirection(direction)
    if direction == Qt.LayoutDirection.RightToLeft:
        option.setAlignment(Qt.AlignmentFlag.AlignRight)
    return option


def x_at(line: QTextLine, index: int) -> float:
    """Where the caret stands before a character of the line."""
    x, _ = cast("tuple[float, int]", line.cursorToX(index))  # the stubs say object
    return x


def layout_is_rtl(layout: QTextLayout) -> bool:
    """Tell whether a layout's text runs from right to left."""
    return layout.textOption().textDirection() == Qt.LayoutDirection.RightToLeft


def _slice(text: str, start: int, end: int) -> str:
    """Cut `text` at Qt's indices."""
    return text[python_index(text, start) : python_index(text, end)]
