"""Chips: a few choices side by side, one of them chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QSize, Signal
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QPushButton, QWidget

from gptdesk.ui.widgets.flow_layout import FlowLayout
from gptdesk.ui.widgets.translated import Translated

_PADDING = 2 * (11 + 1)  # of the style sheet: padding and border, left and right


class Chip(QPushButton):
    """One choice; as wide unchosen as chosen, so that its neighbours never move."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "chip")
        self.setCheckable(True)

    def sizeHint(self) -> QSize:
        """Qt: the size with the label in the weight of a chosen chip."""
        self.ensurePolished()
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        width = QFontMetrics(bold).horizontalAdvance(self.text()) + _PADDING + 2
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Qt: never narrower than the label."""
        return self.sizeHint()


class ChipGroup(Translated, QWidget):
    """One value out of a few.

    Args:
        name: object name; its chips are called `<name>.<key>`.
        choices: keys with their English labels.
        context: where the labels' translations are looked up.
        optional: whether a click on the chosen chip takes the choice back (value "").
    """

    changed = Signal(str)

    def __init__(
        self,
        name: str,
        choices: Sequence[tuple[str, str]],
        context: str,
        *,
        optional: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._context = context
        self._optional = optional
        self._labels = dict(choices)
        self._chips: dict[str, Chip] = {}
        layout = FlowLayout(self)
        for key, _ in choices:
            chip = Chip(self)
            chip.setObjectName(f"{name}.{key}")
            chip.clicked.connect(self._clicked)
            layout.addWidget(chip)
            self._chips[key] = chip
        self.retranslate()

    def retranslate(self) -> None:
        """Label the chips in the language of the window."""
        for key, chip in self._chips.items():
            chip.setText(QCoreApplication.translate(self._context, self._labels[key]))
            chip.updateGeometry()

    @property
    def optional(self) -> bool:
        """Whether nothing may be chosen."""
        return self._optional

    @optional.setter
    def optional(self, value: bool) -> None:
        self._optional = value

    @property
    def value(self) -> str:
        """The key of the chosen chip, "" for none."""
        return next((key for key, chip in self._chips.items() if chip.isChecked()), "")

    @value.setter
    def value(self, key: str) -> None:
        for name, chip in self._chips.items():
            chip.setChecked(name == key)

    def set_enabled(self, key: str, enabled: bool) -> None:
        """Whether one choice can be taken."""
        self._chips[key].setEnabled(enabled)

    def _clicked(self) -> None:
        sender = self.sender()
        key = next(name for name, chip in self._chips.items() if chip is sender)
        chosen = "" if self._optional and not self._chips[key].isChecked() else key
        self.value = chosen
        self.changed.emit(chosen)
