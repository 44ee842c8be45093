"""The order: what the model reads, how long, and where what it learns goes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from gptdesk import paths
from gptdesk.ui import choose
from gptdesk.ui.models.controller import OpenModel
from gptdesk.ui.training.request import DEFAULT_MINUTES, FULL, LORA, TeachingRequest
from gptdesk.ui.training.sources import SourceList
from gptdesk.ui.widgets.chips import ChipGroup
from gptdesk.ui.widgets.parts import button, inset, label
from gptdesk.ui.widgets.translated import QT_TRANSLATE_NOOP

_BAD_NAME = re.compile(r'[<>:"/\\|?*\x00-\x1f]|^\.|[. ]$')
_CONTEXT = "training"
_METHODS = (
    (LORA, QT_TRANSLATE_NOOP("training", "adapter")),
    (FULL, QT_TRANSLATE_NOOP("training", "whole model")),
)


class TeachingForm(QWidget):
    """Says at once what is still missing; `request` is the order once nothing is.

    Args:
        open_paths: asked for the documents that are open in the window and have a file.
        unfinished: asked for the order that was stopped, if there is one.
    """

    changed = Signal()

    def __init__(
        self,
        open_paths: Callable[[], Sequence[str]],
        unfinished: Callable[[], TeachingRequest | None],
    ) -> None:
        super().__init__()
        self._unfinished = unfinished
        self._model: OpenModel | None = None
        self._place: Path | None = None
        self._explanation = label("", name="training.explanation", wrap=True)
        self.sources = SourceList(open_paths)
        self._minutes = QSpinBox()
        self._minutes.setObjectName("training.minutes")
        self._minutes.setRange(1, 24 * 60)
        self._minutes.setValue(DEFAULT_MINUTES)
        inset(self._minutes)
        self._name = QLineEdit()
        self._name.setObjectName("training.name")
        self._browse = button("link", "training.browse")
        self._path = label("muted", name="training.path", wrap=True)
        self._more = button("link", "training.more")
        self._more.setCheckable(True)
        self._method = ChipGroup("training.method", _METHODS, _CONTEXT)
        self._method.value = LORA
        self._method_help = label("muted", name="training.method_help", wrap=True)
        self._details = QWidget()
        self._problem = label("problem", name="training.form_problem", wrap=True)
        self._arrange()
        self._name.setText(self._free_name())
        self._connect()
        self._check()

    def _arrange(self) -> None:
        details = QVBoxLayout(self._details)
        details.setContentsMargins(0, 0, 0, 0)
        details.setSpacing(6)
        details.addWidget(self._method)
        details.addWidget(self._method_help)
        self._details.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._explanation)
        layout.addWidget(self.sources, 1)
        layout.addLayout(self._grid())
        layout.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._details)
        layout.addWidget(self._problem)

    def _grid(self) -> QGridLayout:
        self._minutes.setSuffix(self.tr(" minutes"))
        self._browse.setText(self.tr("Another place…"))
        self._more.setText(self.tr("More") + " ▾")
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        beside = label("muted")
        beside.setText(self.tr("You can go on writing meanwhile."))
        rows = (
            (self.tr("At most"), self._minutes, beside),
            (self.tr("Name of the result"), self._name, self._browse),
        )
        for row, (title, field, more) in enumerate(rows):
            name = label("muted")
            name.setText(title)
            name.setBuddy(field)
            field.setAccessibleName(title)
            field.setFixedWidth(170)
            line = QHBoxLayout()
            line.setSpacing(10)
            line.addWidget(field)
            line.addWidget(more)
            line.addStretch()
            grid.addWidget(name, row, 0)
            grid.addLayout(line, row, 1)
        grid.addWidget(self._path, len(rows), 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _connect(self) -> None:
        self.sources.changed.connect(self._check)
        self._name.textChanged.connect(self._check)
        self._method.changed.connect(self._check)
        self._browse.clicked.connect(self._choose_place)
        self._more.toggled.connect(self._details.setVisible)

    def set_model(self, model: OpenModel | None) -> None:
        """Teach this model."""
        self._model = model
        self._check()

    def fill(self, request: TeachingRequest) -> None:
        """Show an order that was given before."""
        self.sources.add(request.sources)
        self._minutes.setValue(request.minutes)
        self._method.value = request.method
        out = Path(request.out)
        self._place = out.parent if out.parent != _usual_place(request.method) else None
        self._name.setText(out.name)
        self._more.setChecked(request.method != LORA)

    @property
    def request(self) -> TeachingRequest | None:
        """The order; None while something is missing."""
        if self._model is None or self._problem_text() or not self.sources.paths:
            return None
        return self._ordered(self._model)

    def _ordered(self, model: OpenModel) -> TeachingRequest:
        return TeachingRequest(
            model.path,
            self.sources.paths,
            str(self._out),
            self._minutes.value(),
            self._method.value,
        )

    @property
    def _out(self) -> Path:
        folder = self._place or _usual_place(self._method.value)
        return folder / self._name.text().strip()

    def _free_name(self) -> str:
        name = self.tr("my-style")
        names = [name, *(f"{name}-{number}" for number in range(2, 1000))]
        places = [_usual_place(method) for method, _ in _METHODS]
        taken = {child.name.removesuffix(".work") for place in places for child in _children(place)}
        return next((name for name in names if name not in taken), name)

    def _problem_text(self) -> str:
        return self._model_problem() or self._name_problem()

    def _model_problem(self) -> str:
        model = self._model
        if model is None:
            return self.tr("No model is open.")
        if model.model.kind == "onnx":
            text = self.tr(
                "“{0}” is an ONNX export, which cannot learn. Open the model it was made from."
            )
            return text.format(model.name)
        if model.engine.name == "fake":
            return self.tr("The demo has no model that could learn. Open a model first.")
        return ""

    def _name_problem(self) -> str:
        name = self._name.text().strip()
        if not name:
            return self.tr("Give the result a name.")
        if _BAD_NAME.search(name):
            return self.tr("“{0}” cannot be the name of a folder.").format(name)
        if self._out.is_file() or _children(self._out):
            return self.tr("There is something called “{0}” already.").format(name)
        stopped = self._unfinished()
        if stopped is None or self._model is None or stopped.out != str(self._out):
            return ""
        if stopped.goes_on_with(self._ordered(self._model)):
            return ""
        text = self.tr(
            "“{0}” was stopped before it was done, and can go on only with the same model,"
            " documents and method. Give this one another name."
        )
        return text.format(name)

    @Slot()
    def _choose_place(self) -> None:
        start = self._place or _usual_place(self._method.value)
        while not start.exists() and start != start.parent:
            start = start.parent
        chosen = choose.folder(self, self.tr("Choose where the result goes"), str(start))
        if chosen:
            self._place = Path(chosen)
            self._check()

    @Slot()
    def _check(self) -> None:
        if self._model is not None:
            self._explanation.setText(self._explained(self._model))
        # A path has no spaces to wrap at, and a long one must not widen the dialog.
        self._path.setText(str(self._out).replace(os.sep, f"{os.sep}\u200b"))
        help_texts = {
            LORA: self.tr(
                "An adapter is small, can be switched off at any time, and learns nearly as much."
            ),
            FULL: self.tr(
                "The whole model takes more memory and disk, learns a little more, and forgets"
                " more of what it knew."
            ),
        }
        self._method_help.setText(help_texts[self._method.value])
        problem = self._problem_text()
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self.changed.emit()

    def _explained(self, model: OpenModel) -> str:
        text = self.tr(
            "“{0}” reads your documents a few times over and learns to foresee how you go on. It"
            " happens on this computer, and nothing leaves it. The model stays as it is: what it"
            " learns goes into a folder of its own."
        )
        text = text.format(model.name)
        if model.adapter is not None:
            without = self.tr("It begins without the adapter “{0}”.").format(model.adapter.name)
            text = f"{text} {without}"
        return text


def _usual_place(method: str) -> Path:
    models = paths.user_models_dir()
    return models / "adapters" if method == LORA else models


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
