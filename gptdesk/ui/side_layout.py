"""The main area with the assistant's panel at its right; in a narrow window the panel lies over it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

NARROW = 1000
DEFAULT_WIDTH = 376  # 340 and a margin of 18 on each side
MIN_WIDTH, MAX_WIDTH = 340, 560
_GRIP = 6  # pixels of the panel's left margin that can be dragged


class _Handle(QFrame):
    """The hairline left of the panel; dragging it makes the panel wider."""

    dragged = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "handle")
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self._from: QPoint | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Qt: begin to drag."""
        self._from = event.globalPosition().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Qt: drag."""
        if self._from is not None:
            now = event.globalPosition().toPoint()
            self.dragged.emit(self._from.x() - now.x())
            self._from = now


class SideLayout(QWidget):
    """Places two widgets; below 1,000 pixels the side only shows when it is asked for.

    Attributes:
        wanted: whether the person wants the panel in a wide window.
    """

    changed = Signal()

    def __init__(self, main: QWidget, side: QWidget) -> None:
        super().__init__()
        self._main, self._side = main, side
        for widget in (main, side):
            widget.setParent(self)
        self._handle = _Handle(self)
        self._handle.dragged.connect(self._widen)
        self._width = DEFAULT_WIDTH
        self._raised = False
        self.wanted = True
        side.raise_()

    @property
    def narrow(self) -> bool:
        """Whether the panel lies over the text when it shows."""
        return self.width() < NARROW

    @property
    def side_shown(self) -> bool:
        """Whether the panel shows now."""
        return self._raised if self.narrow else self.wanted

    @property
    def side_width(self) -> int:
        """Width of the panel in pixels."""
        return self._width

    @side_width.setter
    def side_width(self, width: int) -> None:
        self._width = max(MIN_WIDTH, min(width, MAX_WIDTH))
        self._place()

    def show_side(self, shown: bool) -> None:
        """Show or hide the panel."""
        if self.narrow:
            self._raised = shown
        else:
            self.wanted = shown
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: place both anew."""
        super().resizeEvent(event)
        if event.oldSize().width() >= NARROW > event.size().width():
            self._raised = False
        self._place()

    def _place(self) -> None:
        shown = self.side_shown
        side = min(self._width, self.width()) if shown else 0
        room = self.width() if self.narrow else self.width() - side
        self._main.setGeometry(0, 0, room, self.height())
        self._side.setVisible(shown)
        self._side.setGeometry(self.width() - side, 0, side, self.height())
        self._handle.setVisible(shown)
        self._handle.setGeometry(self.width() - side, 0, _GRIP, self.height())
        self._side.raise_()
        self._handle.raise_()
        self.changed.emit()

    def _widen(self, pixels: int) -> None:
        self.side_width = self._width + pixels
