"""The measures of the page: font, line pitch, column width and gaps."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QFont, QFontMetricsF

LINE_HEIGHT = 1.36
LINE_HEIGHT_CJK = 1.5
PARAGRAPH_GAP = 12.0
TOP_MARGIN = 36.0
BOTTOM_MARGIN = 96.0
SIDE_MARGIN = 24.0


@dataclass(frozen=True)
class PageMetrics:
    """Lengths in pixels, taken from one font.

    Args:
        font: the body font.
        height: natural height of one line.
        ascent: distance from the top of that height to the baseline.
        column: width of a full column.
    """

    font: QFont
    height: float
    ascent: float
    column: float

    @classmethod
    def of(cls, font: QFont, characters: int) -> PageMetrics:
        """Measure `font`; the column holds `characters` of average width."""
        measured = QFontMetricsF(font)
        # Half a line of rounding per paragraph would show: Qt's own line heights are whole pixels.
        height = float(round(measured.ascent() + 0.5) + round(measured.descent() + 0.5))
        width = measured.averageCharWidth() * characters
        return cls(font, height, measured.ascent(), float(round(width)))

    def pitch(self, cjk: bool) -> float:
        """Distance from one baseline to the next."""
        return self.height * (LINE_HEIGHT_CJK if cjk else LINE_HEIGHT)

    def column_in(self, page_width: float) -> tuple[float, float]:
        """Left edge and width of the column on a page of this width."""
        width = max(40.0, min(self.column, page_width - 2 * SIDE_MARGIN))
        return max(0.0, float(int((page_width - width) / 2))), width
