"""The form for a task's options, generated from its options dataclass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from gptdesk.errors import OptionError
from gptdesk.tasks.base import Task
from gptdesk.tasks.options import OptionInfo, make_options, option_fields
from gptdesk.ui.assistant.option_field import ChipField, ListField, OptionField, make_field
from gptdesk.ui.widgets.parts import label
from gptdesk.ui.widgets.translated import Translated, translate_option


class OptionsForm(Translated, QWidget):
    """Chips below their heading; smaller fields two in a row."""

    changed = Signal()

    def __init__(self, task: Task, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options_type = task.options_type
        self._fields: dict[str, OptionField] = {}
        self._labels: list[tuple[QLabel, OptionField, OptionInfo]] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self._small: list[tuple[QLabel, OptionField]] = []
        for field, info in option_fields(task.options_type):
            made = make_field(f"assistant.option.{task.id}", field, info)
            made.set(field.default)
            heading = label("group" if isinstance(made, ChipField) else "muted")
            heading.setBuddy(made.widget)
            self._fields[field.name] = made
            self._labels.append((heading, made, info))
            self._listen(made)
            if isinstance(made, ChipField):
                self._layout.addWidget(heading)
                self._layout.addWidget(made.widget)
            else:
                self._small.append((heading, made))
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        if self._small:
            self._layout.addLayout(self._grid)
            self._place_small()
        self._enable_dependents()
        self.retranslate()

    def retranslate(self) -> None:
        """Label everything in the language of the window."""
        for heading, field, info in self._labels:
            text = translate_option(info.label)
            heading.setText(text.upper() if isinstance(field, ChipField) else text)
            field.widget.setAccessibleName(text)
            field.widget.setToolTip(translate_option(info.help) if info.help else "")
            field.retranslate()

    def values(self) -> dict[str, Any]:
        """All options by name."""
        return {name: field.get() for name, field in self._fields.items()}

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show saved options; what no longer fits is left at its default."""
        for name, value in values.items():
            try:
                make_options(self._options_type, {name: value})
            except OptionError:
                continue
            self._fields[name].set(value)
        self._enable_dependents()

    def mark_languages(self, experimental: Collection[str]) -> None:
        """Mark the languages, by code, that the model in use is weak at."""
        for field in self._fields.values():
            if isinstance(field, ListField):
                field.mark_languages(experimental)
        self._place_small()

    def _place_small(self) -> None:
        """Two fields in a row, or one where two with marks would be too wide."""
        marked = sum(isinstance(field, ListField) and field.has_marks for _, field in self._small)
        columns = 1 if marked > 1 else 2
        for index, (heading, field) in enumerate(self._small):
            row, column = 2 * (index // columns), index % columns
            self._grid.addWidget(heading, row, column)
            self._grid.addWidget(field.widget, row + 1, column)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, columns - 1)

    def _listen(self, field: OptionField) -> None:
        widget = field.widget
        for signal in ("changed", "currentIndexChanged", "valueChanged", "toggled", "textEdited"):
            if hasattr(widget, signal):
                getattr(widget, signal).connect(self._changed)
                return

    def _changed(self) -> None:
        self._enable_dependents()
        self.changed.emit()

    def _enable_dependents(self) -> None:
        """An option named like a choice of another one ("points") matters only with that choice."""
        for field, info in option_fields(self._options_type):
            for key, _ in info.choices:
                if key in self._fields and key != field.name:
                    chosen = self._fields[field.name].get() == key
                    self._fields[key].widget.setEnabled(chosen)
