"""Chooses the theme, gives it to the application and says when it changed."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gptdesk.ui.theme.colors import Colors, load_colors
from gptdesk.ui.theme.palette import make_palette
from gptdesk.ui.theme.style_sheet import make_style_sheet

CHOICES = ("auto", "light", "dark")
INTERFACE_PIXELS = 13


class ThemeManager(QObject):
    """Holds the colours in use; "auto" follows the desktop, also while the app runs."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._choice = "light"
        self._colors = load_colors("light")
        self._follows_system = False

    @property
    def choice(self) -> str:
        """What the person chose: "auto", "light" or "dark"."""
        return self._choice

    @property
    def colors(self) -> Colors:
        """The colours in use."""
        return self._colors

    def apply(self, choice: str) -> None:
        """Dress the application in `choice` ("auto", "light", "dark"); unknown words mean "auto"."""
        self._choice = choice if choice in CHOICES else "auto"
        if not self._follows_system:
            QGuiApplication.styleHints().colorSchemeChanged.connect(self._system_changed)
            self._follows_system = True
        self._refresh()

    def _system_changed(self) -> None:
        if self._choice == "auto":
            self._refresh()

    def _refresh(self) -> None:
        self._colors = load_colors(self._resolved())
        app = QApplication.instance()
        if isinstance(app, QApplication):
            font = app.font()
            font.setPixelSize(INTERFACE_PIXELS)
            app.setFont(font)
            app.setPalette(make_palette(self._colors))
            app.setStyleSheet(make_style_sheet(self._colors))
        self.changed.emit()

    def _resolved(self) -> str:
        if self._choice != "auto":
            return self._choice
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return "dark" if dark else "light"


@cache
def manager() -> ThemeManager:
    """The one theme manager of this process."""
    return ThemeManager()


def colors() -> Colors:
    """The colours in use now; connect to `manager().changed` to hear of others."""
    return manager().colors
