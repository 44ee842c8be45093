"""A model before it is opened: name, place, figures, and what speaks against it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from gptdesk.checkpoints.info import ModelInfo
from gptdesk.errors import GptDeskError
from gptdesk.ui.error_texts import told, told_all, told_error
from gptdesk.ui.models.facts import FactsGrid, model_facts
from gptdesk.ui.widgets.parts import label


class ModelCard(QWidget):
    """Filled from the model's headers, or with the reason why they cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self._name = label("title", name="model.name")
        self._place = label("muted", name="model.path", wrap=True)
        self._facts = FactsGrid("model.facts")
        self._problem = label("problem", name="model.refusal", wrap=True)
        self._hint = label("muted", name="model.hint", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for widget in (self._name, self._place, self._facts, self._problem, self._hint):
            layout.addWidget(widget)
        self.show_problem("", "")

    def show_reading(self, path: str) -> None:
        """The headers are being read."""
        self._name.setText(Path(path).name)
        self._place.setText(path)
        self._facts.show_facts([])
        self.show_problem("", self.tr("Reading its headers…"))

    def show_model(self, info: ModelInfo) -> None:
        """What the headers say."""
        self._name.setText(info.name)
        self._place.setText(str(info.path))
        self._facts.show_facts(model_facts(info))
        self.show_problem(told(info.refusal), "\n".join(told_all(info.warnings)))

    def show_error(self, path: str, error: GptDeskError) -> None:
        """Why there is nothing to say of it."""
        self.show_reading(path)
        self.show_problem(*told_error(error))

    def show_problem(self, title: str, hint: str) -> None:
        """What went wrong and what to do; "" for nothing."""
        self._problem.setText(title)
        self._problem.setVisible(bool(title))
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
