"""The look of the text that the person chose: typeface, size, width of the line; kept in the settings."""

from __future__ import annotations

from PySide6.QtCore import QObject

from gptdesk.settings import Settings
from gptdesk.settings.definitions import SETTINGS
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.editor.page_edit import MAX_FONT_SIZE, MIN_FONT_SIZE

FAMILY, SIZE, WIDTH = "editor.font_family", "editor.font_size", "editor.line_width"


class Typography(QObject):
    """Gives the settings' typography to every document, and changes it."""

    def __init__(self, settings: Settings, tabs: DocumentTabs, parent: QObject) -> None:
        super().__init__(parent)
        self._settings, self._tabs = settings, tabs
        self.apply()

    @property
    def family(self) -> str:
        """The chosen typeface; "" for the best serif there is."""
        return str(self._settings.get(FAMILY))

    @property
    def size(self) -> int:
        """Size of the text in pixels."""
        return int(self._settings.get(SIZE))

    @property
    def width(self) -> int:
        """Width of a line in average characters."""
        return int(self._settings.get(WIDTH))

    def apply(self) -> None:
        """Set every document so."""
        self._tabs.set_typography(self.family, self.size, self.width)

    def set(
        self, *, family: str | None = None, size: int | None = None, width: int | None = None
    ) -> None:
        """Change what is given, in the documents at once."""
        for key, value in ((FAMILY, family), (SIZE, size), (WIDTH, width)):
            if value is not None:
                self._settings.set(key, value)
        self.apply()

    def zoom(self, steps: int) -> None:
        """Make the text larger or smaller by so many pixels; 0 goes back to the usual size."""
        size = self.size + steps if steps else int(SETTINGS[SIZE].default)
        self.set(size=max(MIN_FONT_SIZE, min(size, MAX_FONT_SIZE)))

    def reset(self) -> None:
        """Go back to the usual look."""
        for key in (FAMILY, SIZE, WIDTH):
            self._settings.set(key, SETTINGS[key].default)
        self.apply()
