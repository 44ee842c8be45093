"""Presets, three sliders, and everything else behind a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gptdesk.ui.assistant.presets import CONTEXT, CUSTOM, PRESET_LABELS, PRESETS, preset_of
from gptdesk.ui.assistant.sampling_details import SamplingDetails
from gptdesk.ui.assistant.slider_row import SliderRow
from gptdesk.ui.widgets.chips import ChipGroup
from gptdesk.ui.widgets.parts import button, label
from gptdesk.ui.widgets.translated import Translated


class SamplingForm(Translated, QWidget):
    """How the next words are chosen.

    A task may bring its own advice (a summary wants other settings than a story). Where it does, no
    preset need be chosen, and `values` is then empty but for a seed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._heading = label("group")
        self.presets = ChipGroup("assistant.preset", PRESET_LABELS, CONTEXT)
        self._temperature = SliderRow("assistant.sampling.temperature", 0.0, 2.0, 0.05)
        self._top_p = SliderRow("assistant.sampling.top_p", 0.05, 1.0, 0.01)
        self._penalty = SliderRow("assistant.sampling.repetition_penalty", 1.0, 1.5, 0.01)
        self._more = button("link", "assistant.sampling.more")
        self._more.setCheckable(True)
        self._details = SamplingDetails()
        self._details.hide()
        self._custom: dict[str, Any] = {}
        self._arrange()
        self.presets.changed.connect(self._preset_chosen)
        for row in (self._temperature, self._top_p, self._penalty):
            row.changed.connect(self._edited)
        self._details.changed.connect(self._edited)
        self._more.toggled.connect(self._toggle_details)
        self._show_numbers(PRESETS["balanced"])
        self.presets.value = "balanced"
        self.retranslate()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._heading)
        layout.addWidget(self.presets)
        for row in (self._temperature, self._top_p, self._penalty):
            layout.addWidget(row)
        layout.addWidget(self._more)
        layout.addWidget(self._details)
        self._more.setSizePolicy(
            self._more.sizePolicy().Policy.Maximum, self._more.sizePolicy().Policy.Fixed
        )

    def retranslate(self) -> None:
        """Name and explain every setting."""
        heading = self.tr("Style of sampling")
        self._heading.setText(heading.upper())
        self.presets.setAccessibleName(heading)
        self._temperature.set_title(
            self.tr("Temperature"), self.tr("Higher is bolder; 0 always takes the likeliest word.")
        )
        self._top_p.set_title(
            self.tr("Top-p"), self.tr("Keeps the likeliest tokens up to this probability.")
        )
        self._penalty.set_title(
            self.tr("Repetition penalty"),
            self.tr("Above 1, words already used become less likely."),
        )
        self._label_more()

    def set_mode(self, *, advised: bool) -> None:
        """Whether the task brings its own settings, so that none need be chosen here."""
        self.presets.optional = advised
        if advised:
            self.presets.value = ""
        elif not self.presets.value:
            self.presets.value = preset_of(self._numbers())

    def values(self) -> dict[str, Any]:
        """Values for fields of `Sampling`; only what the person chose where the task has advice."""
        values = self._numbers()
        if self.presets.value:
            return values
        return {key: values[key] for key in ("seed", "max_new_tokens") if key in values}

    @property
    def preset(self) -> str:
        """The chosen preset, "" where the task's own settings hold."""
        return self.presets.value

    @property
    def remembered_preset(self) -> str:
        """The preset of the person's own choice, also where a task's advice holds just now."""
        return self.presets.value or preset_of(self._numbers())

    def restore(self, preset: str, custom: Mapping[str, Any]) -> None:
        """Show what was chosen in an earlier session."""
        self._custom = dict(custom)
        self._show_numbers(PRESETS.get(preset, custom))
        self._details.show_values(
            {k: v for k, v in custom.items() if k in ("seed", "max_new_tokens")}
        )
        self.presets.value = preset if preset in PRESETS else CUSTOM

    def custom_values(self) -> dict[str, Any]:
        """The person's own values, for the next session."""
        numbers = self._numbers()
        extra: dict[str, Any] = {
            key: numbers[key] for key in ("seed", "max_new_tokens") if key in numbers
        }
        return {**self._custom, **extra}

    def _numbers(self) -> dict[str, Any]:
        return {
            "temperature": self._temperature.value,
            "top_p": self._top_p.value,
            "repetition_penalty": self._penalty.value,
            **self._details.values(),
        }

    def _show_numbers(self, values: Mapping[str, Any]) -> None:
        rows = {
            "temperature": self._temperature,
            "top_p": self._top_p,
            "repetition_penalty": self._penalty,
        }
        for key, row in rows.items():
            if isinstance(values.get(key), int | float):
                row.value = float(values[key])
        self._details.show_values(values)
        self._show_window()

    def _show_window(self) -> None:
        window = self._details.penalty_window.value()
        self._penalty.set_suffix(f" · {window}" if window else "")

    def _preset_chosen(self, preset: str) -> None:
        self._show_numbers(self._custom if preset == CUSTOM else PRESETS.get(preset, {}))
        self.changed.emit()

    def _edited(self) -> None:
        self._show_window()
        numbers = self._numbers()
        preset = preset_of(numbers)
        if preset == CUSTOM:
            self._custom = {k: v for k, v in numbers.items() if k not in ("seed", "max_new_tokens")}
        # A seed or a token limit alone is no reason to leave the task's advice.
        if self.presets.value or not isinstance(self.sender(), SamplingDetails):
            self.presets.value = preset
        self.changed.emit()

    def _toggle_details(self, shown: bool) -> None:
        self._details.setVisible(shown)
        self._label_more()

    def _label_more(self) -> None:
        text = self.tr("All sampling settings")
        self._more.setText(f"{text} {'▴' if self._more.isChecked() else '▾'}")
