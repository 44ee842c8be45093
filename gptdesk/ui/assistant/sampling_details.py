"""The sampling settings behind "All sampling settings": top-k, min-p, window, length, seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QWidget,
)

from gptdesk.ui.widgets.parts import inset, label
from gptdesk.ui.widgets.translated import Translated

_MAX_SEED = 2**31 - 1  # what a QSpinBox holds


class SamplingDetails(Translated, QWidget):
    """Fields in two columns; the seed has a row of its own with its "random" switch."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.top_k = _whole("assistant.sampling.top_k", 0, 1000)
        self.min_p = QDoubleSpinBox()
        self.min_p.setObjectName("assistant.sampling.min_p")
        self.min_p.setRange(0.0, 1.0)
        self.min_p.setSingleStep(0.01)
        inset(self.min_p)
        self.penalty_window = _whole("assistant.sampling.repetition_window", 0, 4096)
        self.penalty_window.setSingleStep(32)
        self.max_tokens = _whole("assistant.sampling.max_new_tokens", 0, 4096)
        self.max_tokens.setSingleStep(16)
        self.seed = _whole("assistant.sampling.seed", 0, _MAX_SEED)
        self.random = QCheckBox()
        self.random.setObjectName("assistant.sampling.random")
        self.random.setChecked(True)
        self.seed.setEnabled(False)
        self._labels: dict[str, QLabel] = {}
        self._arrange()
        self.random.toggled.connect(self.seed.setDisabled)
        for signal in (
            self.top_k.valueChanged,
            self.min_p.valueChanged,
            self.penalty_window.valueChanged,
            self.max_tokens.valueChanged,
            self.seed.valueChanged,
            self.random.toggled,
        ):
            signal.connect(self._changed)
        self.retranslate()

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        places = (
            ("top_k", self.top_k, 0, 0),
            ("min_p", self.min_p, 0, 1),
            ("window", self.penalty_window, 2, 0),
            ("max_tokens", self.max_tokens, 2, 1),
        )
        for key, widget, row, column in places:
            self._labels[key] = label("muted")
            self._labels[key].setBuddy(widget)
            grid.addWidget(self._labels[key], row, column)
            grid.addWidget(widget, row + 1, column)
        self._labels["seed"] = label("muted")
        self._labels["seed"].setBuddy(self.seed)
        grid.addWidget(self._labels["seed"], 4, 0, 1, 2)
        last = QHBoxLayout()
        last.setSpacing(12)
        last.addWidget(self.seed, 1)
        last.addWidget(self.random)
        grid.addLayout(last, 5, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def retranslate(self) -> None:
        """Name and explain every field."""
        off = self.tr("off")
        texts: dict[str, tuple[str, str, QAbstractSpinBox]] = {
            "top_k": (self.tr("Top-k"), self.tr("Only the k most probable tokens."), self.top_k),
            "min_p": (
                self.tr("Min-p"),
                self.tr("Drops tokens below this share of the best one's probability."),
                self.min_p,
            ),
            "window": (
                self.tr("Penalty window"),
                self.tr("How many of the last tokens the repetition penalty looks at."),
                self.penalty_window,
            ),
            "max_tokens": (
                self.tr("At most, tokens"),
                self.tr("Ends the text after this many tokens, whatever the length above."),
                self.max_tokens,
            ),
            "seed": (
                self.tr("Seed"),
                self.tr("The same seed and settings give the same text."),
                self.seed,
            ),
        }
        for key, (title, help_text, widget) in texts.items():
            self._labels[key].setText(title)
            widget.setAccessibleName(title)
            widget.setToolTip(help_text)
        for widget in (self.top_k, self.min_p):
            widget.setSpecialValueText(off)
        self.penalty_window.setSpecialValueText(self.tr("all"))
        self.max_tokens.setSpecialValueText(self.tr("by length"))
        self.random.setText(self.tr("random"))

    def values(self) -> dict[str, Any]:
        """Fields of `Sampling`; the token limit and the seed only where the person gave them."""
        values: dict[str, Any] = {
            "top_k": self.top_k.value(),
            "min_p": round(self.min_p.value(), 4),
            "repetition_window": self.penalty_window.value(),
        }
        if self.max_tokens.value() > 0:
            values["max_new_tokens"] = self.max_tokens.value()
        if not self.random.isChecked():
            values["seed"] = self.seed.value()
        return values

    def show_values(self, values: Mapping[str, Any]) -> None:
        """Show the fields given, without telling anybody."""
        fields: dict[str, QSpinBox | QDoubleSpinBox] = {
            "top_k": self.top_k,
            "min_p": self.min_p,
            "repetition_window": self.penalty_window,
            "max_new_tokens": self.max_tokens,
            "seed": self.seed,
        }
        with QSignalBlocker(self):
            for key, field in fields.items():
                if isinstance(values.get(key), int | float):
                    field.setValue(values[key])
            if "seed" in values:
                self.random.setChecked(False)

    def _changed(self) -> None:
        self.changed.emit()


def _whole(name: str, low: int, high: int) -> QSpinBox:
    field = QSpinBox()
    field.setObjectName(name)
    field.setRange(low, high)
    inset(field)
    return field
