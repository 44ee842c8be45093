"""The field for one option of a task: chips, a list, a number, a switch or a line of text."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import Field
from typing import Any, Protocol

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QLineEdit, QSpinBox, QWidget

from gptdesk.tasks import languages
from gptdesk.tasks.options import OptionInfo
from gptdesk.ui.language_names import marked
from gptdesk.ui.widgets.chips import ChipGroup
from gptdesk.ui.widgets.parts import inset
from gptdesk.ui.widgets.translated import OPTIONS_CONTEXT, translate_option

MAX_CHIPS = 4


class OptionField(Protocol):
    """What the form needs of a field."""

    @property
    def widget(self) -> QWidget:
        """What stands in the form."""
        ...

    def get(self) -> Any:
        """The value, of the option's type."""
        ...

    def set(self, value: Any) -> None:
        """Show a value."""
        ...

    def retranslate(self) -> None:
        """Label the choices in the language of the window."""
        ...


class ChipField:
    """Up to four choices, all in sight."""

    def __init__(self, name: str, info: OptionInfo) -> None:
        self.widget = ChipGroup(name, info.choices, OPTIONS_CONTEXT)

    def get(self) -> str:
        """The key of the chosen chip."""
        return self.widget.value

    def set(self, value: Any) -> None:
        """Choose a chip by key."""
        self.widget.value = str(value)

    def retranslate(self) -> None:
        """Chips label themselves."""


class ListField:
    """More choices than fit side by side."""

    def __init__(self, name: str, info: OptionInfo) -> None:
        self.widget = QComboBox()
        self.widget.setObjectName(name)
        self._choices = info.choices
        self._experimental: Collection[str] = ()
        for key, label in info.choices:
            self.widget.addItem(translate_option(label), key)

    def get(self) -> str:
        """The key of the chosen entry."""
        return str(self.widget.currentData())

    def set(self, value: Any) -> None:
        """Choose an entry by key."""
        self.widget.setCurrentIndex(max(0, self.widget.findData(value)))

    def retranslate(self) -> None:
        """Label the entries in the language of the window."""
        for index, choice in enumerate(self._choices):
            text = translate_option(choice[1])
            self.widget.setItemText(index, marked(text) if self._is_weak(choice) else text)

    @property
    def has_marks(self) -> bool:
        """Whether a choice carries a mark, which makes the field wide."""
        return any(map(self._is_weak, self._choices))

    def mark_languages(self, experimental: Collection[str]) -> None:
        """Mark the languages among the choices that the model is weak at."""
        self._experimental = experimental
        self.retranslate()

    def _is_weak(self, choice: tuple[str, str]) -> bool:
        return choice in languages.CHOICES and choice[0] in self._experimental


class NumberField:
    """A whole or a decimal number within its bounds."""

    def __init__(self, name: str, info: OptionInfo, *, whole: bool) -> None:
        low = 0 if info.minimum is None else info.minimum
        high = 1_000_000 if info.maximum is None else info.maximum
        self.widget: QSpinBox | QDoubleSpinBox
        if whole:
            self.widget = QSpinBox()
            self.widget.setRange(int(low), int(high))
        else:
            self.widget = QDoubleSpinBox()
            self.widget.setRange(low, high)
        self.widget.setObjectName(name)
        inset(self.widget)

    def get(self) -> int | float:
        """The number."""
        return self.widget.value()

    def set(self, value: Any) -> None:
        """Show a number; one out of bounds becomes the nearest within."""
        self.widget.setValue(value)

    def retranslate(self) -> None:
        """Numbers need no words."""


class SwitchField:
    """On or off."""

    def __init__(self, name: str) -> None:
        self.widget = QCheckBox()
        self.widget.setObjectName(name)

    def get(self) -> bool:
        """Whether it is on."""
        return self.widget.isChecked()

    def set(self, value: Any) -> None:
        """Turn it on or off."""
        self.widget.setChecked(bool(value))

    def retranslate(self) -> None:
        """The label beside it says it all."""


class LineField:
    """Free text on one line."""

    def __init__(self, name: str) -> None:
        self.widget = QLineEdit()
        self.widget.setObjectName(name)

    def get(self) -> str:
        """The text."""
        return self.widget.text()

    def set(self, value: Any) -> None:
        """Show a text."""
        self.widget.setText(str(value))

    def retranslate(self) -> None:
        """The text is the person's."""


def make_field(prefix: str, field: Field[Any], info: OptionInfo) -> OptionField:
    """The field that suits an option; its widget is called `<prefix>.<name>`."""
    name = f"{prefix}.{field.name}"
    if info.choices:
        return ChipField(name, info) if len(info.choices) <= MAX_CHIPS else ListField(name, info)
    if isinstance(field.default, bool):
        return SwitchField(name)
    if isinstance(field.default, int | float):
        return NumberField(name, info, whole=isinstance(field.default, int))
    return LineField(name)
