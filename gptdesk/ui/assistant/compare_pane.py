"""Source and result side by side, scrolling together; one above the other where it is narrow."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QFrame,
    QHBoxLayout,
    QScrollBar,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gptdesk.ui.widgets.parts import button, label
from gptdesk.ui.widgets.translated import Translated

_NARROW = 560
_HEADING = 26


class ComparePane(Translated, QFrame):
    """Two columns with headings; the widgets in them belong to the assistant's panel."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("assistant.compare")
        self.setProperty("role", "compare")
        self._source_heading = label("group")
        self._result_heading = label("group")
        self._close = button("link", "assistant.compare.close")
        self._close.setText("✕")
        self._close.clicked.connect(self.closed)
        self._bars: list[QScrollBar] = []
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(12)
        self._split.addWidget(_column(self._source_heading, None, self._left))
        self._split.addWidget(_column(self._result_heading, self._close, self._right))
        self._split.setSizes([1000, 1000])
        self._split.setStyleSheet("QSplitter::handle { background: transparent; }")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 10, 18, 14)
        layout.addWidget(self._split)
        self.setMinimumHeight(170)
        self.retranslate()

    def retranslate(self) -> None:
        """Label the columns in the language of the window."""
        self._source_heading.setText(self.tr("Source").upper())
        self._close.setAccessibleName(self.tr("Close the comparison"))
        self._close.setToolTip(self.tr("Close the comparison"))

    def name_result(self, name: str) -> None:
        """Say over the second column what stands in it."""
        self._result_heading.setText(name.upper())

    def hold(self, source: QAbstractScrollArea, card: QWidget, view: QAbstractScrollArea) -> None:
        """Take the source's box and the result's card; `view` is what scrolls in the card."""
        self._left.addWidget(source, 1)
        self._right.addWidget(card, 1)
        if not self._bars:
            self._bars = [source.verticalScrollBar(), view.verticalScrollBar()]
            for bar in self._bars:
                bar.valueChanged.connect(self._follow)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: two columns need room for two."""
        super().resizeEvent(event)
        wide = event.size().width() >= _NARROW
        self._split.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def _follow(self, value: int) -> None:
        moved = self.sender()
        # Only what the person scrolls leads: in summaries the same widgets stand in the panel, and
        # a result that is being written scrolls by itself.
        if not self.isVisible() or not isinstance(moved, QScrollBar) or moved not in self._bars:
            return
        other = self._bars[1 - self._bars.index(moved)]
        share = value / moved.maximum() if moved.maximum() else 0.0
        other.blockSignals(True)
        other.setValue(round(share * other.maximum()))
        other.blockSignals(False)


def _column(heading: QWidget, corner: QWidget | None, body: QVBoxLayout) -> QWidget:
    column = QWidget()
    heading.setMinimumHeight(_HEADING)
    top = QHBoxLayout()
    top.addWidget(heading)
    top.addStretch()
    if corner is not None:
        top.addWidget(corner)
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    layout.addLayout(top)
    layout.addLayout(body, 1)
    return column
