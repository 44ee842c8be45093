"""A decimal setting as a labelled slider."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from gptdesk.ui.widgets.parts import label


class _CalmSlider(QSlider):
    """Scrolling the panel does not change what the pointer happens to cross."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Qt: leave the wheel to the panel."""
        event.ignore()


class SliderRow(QWidget):
    """Name left, value right, slider below.

    Args:
        name: object name of the slider.
        low, high, step: the range of the value.
    """

    changed = Signal()

    def __init__(self, name: str, low: float, high: float, step: float) -> None:
        super().__init__()
        self._low, self._step = low, step
        self._suffix = ""
        self._title = label()
        self._value = label("value")
        self._slider = _CalmSlider(Qt.Orientation.Horizontal)
        self._slider.setObjectName(name)
        self._slider.setRange(0, round((high - low) / step))
        self._slider.setPageStep(max(1, self._slider.maximum() // 10))
        self._slider.valueChanged.connect(self._show)
        self._slider.valueChanged.connect(self._moved)
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addStretch()
        top.addWidget(self._value)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addLayout(top)
        layout.addWidget(self._slider)

    def set_title(self, title: str, help_text: str) -> None:
        """Name the setting and explain it."""
        self._title.setText(title)
        self._slider.setAccessibleName(title)
        self._slider.setToolTip(help_text)

    def set_suffix(self, suffix: str) -> None:
        """Text behind the value, such as the window of a penalty."""
        self._suffix = suffix
        self._show()

    @property
    def value(self) -> float:
        """The value, rounded to the step."""
        return round(self._low + self._slider.value() * self._step, 6)

    @value.setter
    def value(self, value: float) -> None:
        self._slider.blockSignals(True)
        self._slider.setValue(round((value - self._low) / self._step))
        self._slider.blockSignals(False)
        self._show()

    def _show(self) -> None:
        self._value.setText(f"{self.value:.2f}{self._suffix}")

    def _moved(self) -> None:
        self.changed.emit()
