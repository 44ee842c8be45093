"""Continue · Summarize · Translate · Rewrite: one of a row of segments."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QWidget

from gptdesk.tasks.base import Task
from gptdesk.ui.widgets.parts import button
from gptdesk.ui.widgets.translated import Translated, translate_option


class ModeSelector(Translated, QFrame):
    """Chooses the task; arrow keys move between the segments."""

    changed = Signal(str)

    def __init__(self, tasks: Sequence[Task], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "segments")
        self._labels = {task.id: task.label for task in tasks}
        self._buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(2)
        for task in tasks:
            segment = button("segment", f"assistant.mode.{task.id}")
            segment.setCheckable(True)
            segment.clicked.connect(self._clicked)
            self._group.addButton(segment)
            layout.addWidget(segment, 1)
            self._buttons[task.id] = segment
        self.retranslate()

    def retranslate(self) -> None:
        """Label the segments in the language of the window."""
        self.setAccessibleName(self.tr("Mode"))
        for key, segment in self._buttons.items():
            segment.setText(translate_option(self._labels[key]))

    @property
    def mode(self) -> str:
        """Id of the chosen task."""
        return next((key for key, one in self._buttons.items() if one.isChecked()), "")

    @mode.setter
    def mode(self, mode: str) -> None:
        self._buttons[mode].setChecked(True)

    def _clicked(self) -> None:
        self.changed.emit(self.mode)
