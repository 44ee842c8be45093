"""View > Typeface…: what is chosen shows in the text at once."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QFontComboBox,
    QGridLayout,
    QHBoxLayout,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gptdesk.ui.editor.page_edit import MAX_FONT_SIZE, MAX_LINE, MIN_FONT_SIZE, MIN_LINE
from gptdesk.ui.typography import Typography
from gptdesk.ui.widgets.parts import button, inset, label


class TypefaceDialog(QDialog):
    """Family, size and width of the line; beside the window, which stays usable."""

    def __init__(self, typography: Typography, family: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("view.typeface_dialog")
        self.setWindowTitle(self.tr("Typeface"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._typography = typography
        self._family = QFontComboBox()
        self._family.setObjectName("typeface.family")
        self._family.setFontFilters(QFontComboBox.FontFilter.ScalableFonts)
        self._size = _field("typeface.size", MIN_FONT_SIZE, MAX_FONT_SIZE)
        self._width = _field("typeface.width", MIN_LINE, MAX_LINE)
        self._default = button("", "typeface.default")
        self._close = button("primary", "typeface.close")
        self._usual = family
        self._show_values()
        self._arrange()
        self._family.currentFontChanged.connect(self._family_chosen)
        self._size.valueChanged.connect(self._size_chosen)
        self._width.valueChanged.connect(self._width_chosen)
        self._default.clicked.connect(self._reset)
        self._close.clicked.connect(self.accept)

    def _arrange(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        rows = (
            (self.tr("Typeface"), self._family),
            (self.tr("Size in pixels"), self._size),
            (self.tr("Characters per line"), self._width),
        )
        for row, (title, field) in enumerate(rows):
            name = label("muted")
            name.setText(title)
            name.setBuddy(field)
            field.setAccessibleName(title)
            grid.addWidget(name, row, 0)
            grid.addWidget(field, row, 1)
        grid.setColumnStretch(1, 1)
        self._default.setText(self.tr("Use the default"))
        self._close.setText(self.tr("Close"))
        self._close.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self._default)
        buttons.addStretch()
        buttons.addWidget(self._close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(14)
        layout.addLayout(grid)
        layout.addLayout(buttons)
        self.setMinimumWidth(400)

    def _show_values(self) -> None:
        values = self._typography
        family = self._family.currentFont()
        family.setFamily(values.family or self._usual)
        with QSignalBlocker(self._family), QSignalBlocker(self._size), QSignalBlocker(self._width):
            self._family.setCurrentFont(family)
            self._size.setValue(values.size)
            self._width.setValue(values.width)

    @Slot()
    def _family_chosen(self) -> None:
        self._typography.set(family=self._family.currentFont().family())

    @Slot(int)
    def _size_chosen(self, pixels: int) -> None:
        self._typography.set(size=pixels)

    @Slot(int)
    def _width_chosen(self, characters: int) -> None:
        self._typography.set(width=characters)

    @Slot()
    def _reset(self) -> None:
        self._typography.reset()
        self._show_values()


def _field(name: str, low: int, high: int) -> QSpinBox:
    field = QSpinBox()
    field.setObjectName(name)
    field.setRange(low, high)
    inset(field)
    return field
