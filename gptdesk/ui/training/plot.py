"""Draws the loss while a model learns: a line for the text it reads, points for pages held back."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gptdesk.ui import theme
from gptdesk.ui.numbers import grouped
from gptdesk.ui.training.curve import LossCurve, round_ticks
from gptdesk.ui.widgets.translated import Translated

_GAP = 8
_POINT = 4.0
_RADIUS = 10
_FONT_PIXELS = 11
_MARGIN = 14
_LEAST_SPAN = 0.5  # of the axis: the noise of the first steps must not look like a fall


class LossPlot(Translated, QWidget):
    """Shows a `LossCurve`; nothing can be clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("training.plot")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(190)
        font = self.font()
        font.setPixelSize(_FONT_PIXELS)
        self.setFont(font)
        self._curve = LossCurve()
        self._total = 0
        theme.manager().changed.connect(self.update)
        self.retranslate()

    def sizeHint(self) -> QSize:
        """Qt: the size it likes best."""
        return QSize(520, 230)

    def retranslate(self) -> None:
        """Say everything again in the language of the window."""
        self.setAccessibleName(self.tr("Loss while the model learns"))
        self.update()

    def show_curve(self, curve: LossCurve, total_steps: int = 0) -> None:
        """Show a curve; the steps of the whole run, or 0, say how far the axis reaches."""
        self._curve, self._total = curve, total_steps
        self.setAccessibleDescription(self._in_words())
        self.update()

    def _in_words(self) -> str:
        parts = []
        if self._curve.training:
            text = self.tr("Your text: {0}").format(f"{self._curve.training[-1][1]:.2f}")
            parts.append(text)
        if self._curve.held_out:
            text = self.tr("Pages held back: {0}").format(f"{self._curve.held_out[-1][1]:.2f}")
            parts.append(text)
        return "; ".join(parts)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: draw all of it."""
        colors = theme.colors()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colors.hairline), 1))
        painter.setBrush(QColor(colors.card))
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        bounds = self._curve.bounds
        if bounds is None:
            painter.setPen(QColor(colors.muted))
            text = self.tr("The curve begins after the first steps.")
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)
        else:
            _Drawing(self, painter, bounds, max(self._total, self._curve.last_step)).draw(
                self._curve
            )
        painter.end()


class _Drawing:
    """One painting of a plot: where its axes lie and what stands at them."""

    def __init__(
        self, plot: LossPlot, painter: QPainter, bounds: tuple[float, float], steps: int
    ) -> None:
        self._plot, self._painter, self._colors = plot, painter, theme.colors()
        metrics = QFontMetrics(plot.font())
        self._line = metrics.height()
        low, high = _widened(*bounds)
        rows = max(2, min(6, plot.height() // (3 * self._line)))
        self._ticks = round_ticks(low, high, rows)
        self._steps = max(1, steps)
        self._labels = [_figure(tick, self._ticks) for tick in self._ticks]
        widest = max(metrics.horizontalAdvance(text) for text in self._labels)
        top = _MARGIN + self._line + 2 * _GAP
        bottom = plot.height() - _MARGIN - self._line - _GAP
        self._area = QRectF(_MARGIN + widest + _GAP, top, 0, bottom - top)
        self._area.setRight(plot.width() - _MARGIN)

    def draw(self, curve: LossCurve) -> None:
        """Draw axes, curve and legend."""
        self._draw_grid()
        self._draw_legend()
        self._painter.setPen(QPen(QColor(self._colors.accent), 2))
        points = [self._place(step, loss) for step, loss in curve.training]
        self._painter.drawPolyline(QPolygonF(points))
        if len(points) == 1:
            self._dot(points[0], 1.5, self._colors.accent)
        for step, loss in curve.held_out:
            self._dot(self._place(step, loss), _POINT, self._colors.amber)

    def _place(self, step: int, loss: float) -> QPointF:
        low, high = self._ticks[0], self._ticks[-1]
        across = min(1.0, step / self._steps)
        up = (loss - low) / (high - low)
        return QPointF(
            self._area.left() + across * self._area.width(),
            self._area.bottom() - up * self._area.height(),
        )

    def _dot(self, place: QPointF, radius: float, color: str) -> None:
        # The ring keeps a point apart from the line behind it.
        self._painter.setPen(QPen(QColor(self._colors.card), 1.5))
        self._painter.setBrush(QColor(color))
        self._painter.drawEllipse(place, radius, radius)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_grid(self) -> None:
        translate = QCoreApplication.translate
        painter, area = self._painter, self._area
        for tick, text in zip(self._ticks, self._labels, strict=True):
            y = round(self._place(0, tick).y()) + 0.5
            painter.setPen(QPen(QColor(self._colors.hairline), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            self._write(QRectF(0, y - self._line / 2, area.left() - _GAP, self._line), text)
        foot = area.bottom() + _GAP
        place = QRectF(area.left(), foot, area.width(), self._line)
        self._write(place, "0", Qt.AlignmentFlag.AlignLeft)
        self._write(place, translate("LossPlot", "{0} steps").format(grouped(self._steps)))

    def _draw_legend(self) -> None:
        translate = QCoreApplication.translate
        metrics = QFontMetrics(self._plot.font())
        y = _MARGIN + self._line / 2
        x = float(_MARGIN)
        title = translate("LossPlot", "Loss (lower is better)")
        self._write(QRectF(x, _MARGIN, 400, self._line), title, Qt.AlignmentFlag.AlignLeft)
        entries = (
            (translate("LossPlot", "pages held back"), self._colors.amber, True),
            (translate("LossPlot", "your text"), self._colors.accent, False),
        )
        x = self._area.right()
        for text, color, is_point in entries:
            x -= metrics.horizontalAdvance(text)
            place = QRectF(x, _MARGIN, metrics.horizontalAdvance(text) + 2, self._line)
            self._write(place, text, Qt.AlignmentFlag.AlignLeft)
            x -= _GAP + 6
            if is_point:
                self._dot(QPointF(x + 3, y), _POINT, color)
            else:
                self._painter.setPen(QPen(QColor(color), 2))
                self._painter.drawLine(QPointF(x - 6, y), QPointF(x + 6, y))
            x -= 2 * _GAP

    def _write(
        self,
        place: QRectF,
        text: str,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight,
    ) -> None:
        self._painter.setPen(QColor(self._colors.muted))
        self._painter.drawText(place, align | Qt.AlignmentFlag.AlignVCenter, text)


def _widened(low: float, high: float) -> tuple[float, float]:
    missing = max(0.0, _LEAST_SPAN - (high - low)) / 2
    return low - missing, high + missing


def _figure(tick: float, ticks: list[float]) -> str:
    """A tick with as many decimals as tell it from its neighbours."""
    step = ticks[1] - ticks[0]
    decimals = next((digits for digits in range(4) if round(step, digits) == round(step, 6)), 3)
    return f"{tick:.{decimals}f}"
