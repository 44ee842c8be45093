"""One-line makers of the parts that every form is built from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

_STEPS = 1000
SERIF_FAMILIES = ["Source Serif 4", "Noto Serif", "Georgia", "Noto Serif CJK SC", "Songti SC"]


def label(role: str = "", *, name: str = "", wrap: bool = False) -> QLabel:
    """An empty label in one of the style sheet's roles."""
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setObjectName(name)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def button(role: str, name: str) -> QPushButton:
    """An empty push button in one of the style sheet's roles; Enter presses it only when it has the focus."""
    made = QPushButton()
    made.setObjectName(name)
    made.setProperty("role", role)
    made.setAutoDefault(False)
    return made


def hairline() -> QFrame:
    """A line of one pixel."""
    line = QFrame()
    line.setProperty("role", "hairline")
    line.setFixedHeight(1)
    return line


def set_state(widget: QWidget, state: str) -> None:
    """Give `widget` the style sheet's `[state="…"]` look."""
    if widget.property("state") != state:
        widget.setProperty("state", state)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def inset(field: QSpinBox | QDoubleSpinBox) -> None:
    """Keep the number off the border: Qt ignores a style sheet's padding at the left of these."""
    field.lineEdit().setTextMargins(6, 0, 0, 0)


def show_progress(bar: QProgressBar, done: int, total: int) -> None:
    """Show `done` of `total`; a bar on the move when the total is not known.

    Bytes of large models exceed the 32 bits of a progress bar, hence the thousandths.
    """
    bar.setRange(0, _STEPS if total else 0)
    bar.setValue(min(_STEPS, _STEPS * done // total) if total else 0)


def serif(pixels: int) -> QFont:
    """The typeface of results: the same family as the text they belong to."""
    font = QFont()
    font.setFamilies(SERIF_FAMILIES)
    font.setStyleHint(QFont.StyleHint.Serif)
    font.setPixelSize(pixels)
    return font
