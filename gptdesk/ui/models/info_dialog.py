"""Model > Information: what is open, where it is, what runs it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QVBoxLayout, QWidget

from gptdesk.ui.error_texts import told_all
from gptdesk.ui.models.controller import OpenModel
from gptdesk.ui.models.facts import (
    FactsGrid,
    adapter_facts,
    engine_facts,
    model_facts,
    opened_name,
)
from gptdesk.ui.widgets.parts import button, hairline, label


class ModelInfoDialog(QDialog):
    """Read only; everything can be copied for a bug report."""

    def __init__(self, opened: OpenModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("model.info_dialog")
        self.setWindowTitle(self.tr("Model Information"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._opened = opened
        name, place = label("title", name="model.name"), label("muted", wrap=True)
        name.setText(opened_name(opened))
        place.setText(opened.path)
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts = FactsGrid("model.facts")
        self._facts.show_facts(
            [
                *model_facts(opened.model),
                *engine_facts(opened.engine),
                *adapter_facts(opened.adapter),
            ]
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(8)
        for widget in (name, place, hairline(), self._facts):
            layout.addWidget(widget)
        for warning in told_all(opened.warnings):
            line = label("muted", wrap=True)
            line.setText(warning)
            layout.addWidget(line)
        layout.addStretch()
        layout.addLayout(self._buttons())
        self.resize(460, 380)

    def _buttons(self) -> QHBoxLayout:
        copy, close = button("", "model.info.copy"), button("primary", "model.info.close")
        copy.setText(self.tr("Copy"))
        close.setText(self.tr("Close"))
        close.setDefault(True)
        copy.clicked.connect(self._copy)
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(copy)
        row.addWidget(close)
        return row

    def _copy(self) -> None:
        text = f"{self._opened.name}\n{self._opened.path}\n{self._facts.text()}"
        QApplication.clipboard().setText(text)
