"""What there is to know about a model, in two columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from gptdesk.checkpoints.adapter_info import AdapterInfo
from gptdesk.checkpoints.info import ModelInfo
from gptdesk.engines.base import EngineInfo
from gptdesk.ui.language_names import language_name
from gptdesk.ui.numbers import grouped, parameters_text, size_text
from gptdesk.ui.widgets.parts import label

if TYPE_CHECKING:
    from gptdesk.ui.models.controller import OpenModel

Fact = tuple[str, str]

_ENGINES = {"torch": "PyTorch", "onnx": "ONNX", "fake": "demo"}


def engine_text(info: EngineInfo) -> str:
    """Engine, precision and device, such as ONNX fp32 · CPU."""
    name = _ENGINES.get(info.name, info.name)
    return f"{name} {info.precision} · {info.device.upper()}"


def opened_name(opened: OpenModel) -> str:
    """The model in use and its adapter, if it has one."""
    if opened.adapter is None:
        return opened.name
    text = "{0} + {1}"
    if not opened.adapter_enabled:
        text = QCoreApplication.translate("facts", "{0} + {1} (off)")
    return text.format(opened.name, opened.adapter.name)


def adapter_facts(info: AdapterInfo | None) -> list[Fact]:
    """What the headers of the model's adapter say."""
    translate = QCoreApplication.translate
    if info is None:
        return []
    ranks = ", ".join(str(rank) for rank in info.ranks)
    facts = [
        (translate("facts", "Adapter"), str(info.path)),
        (translate("facts", "Made for"), info.base),
        (translate("facts", "Rank"), ranks),
        (translate("facts", "Layers"), ", ".join(info.modules)),
    ]
    return [(name, value) for name, value in facts if value]


def model_facts(info: ModelInfo) -> list[Fact]:
    """What the headers of a model say."""
    translate = QCoreApplication.translate
    kind = "ONNX" if info.kind == "onnx" else "Hugging Face"
    memory = " · ".join(f"{name} {size_text(count)}" for name, count in info.memory_bytes.items())
    facts = [
        (translate("facts", "Architecture"), f"{info.architecture} · {kind}"),
        (translate("facts", "Parameters"), parameters_text(info.parameters)),
        (translate("facts", "Context"), _tokens(info.context_length)),
        (translate("facts", "Languages"), _languages(info)),
        (translate("facts", "Experimental"), _long_texts(info)),
        (translate("facts", "Precision"), info.precision),
        (translate("facts", "On disk"), size_text(info.bytes_on_disk)),
        (translate("facts", "Memory needed"), memory),
    ]
    return [(name, value) for name, value in facts if value and value != "0"]


def engine_facts(info: EngineInfo) -> list[Fact]:
    """What runs the model now."""
    translate = QCoreApplication.translate
    return [
        (translate("facts", "Runs on"), engine_text(info)),
        (translate("facts", "Weights in memory"), size_text(info.weight_bytes)),
    ]


def one_line(info: ModelInfo) -> str:
    """A model in a list: name and the figures that matter for choosing."""
    if info.refusal:
        return info.name
    kind = "ONNX" if info.kind == "onnx" else info.architecture
    size = size_text(info.bytes_on_disk)
    return f"{info.name}   {kind} · {parameters_text(info.parameters)} · {size}"


def _languages(info: ModelInfo) -> str:
    weak = info.experimental.languages
    return ", ".join(language_name(code, experimental=code in weak) for code in info.languages)


def _long_texts(info: ModelInfo) -> str:
    tokens = info.experimental.text_tokens
    text = QCoreApplication.translate("facts", "texts of more than {0} tokens")
    return text.format(grouped(tokens)) if tokens else ""


def _tokens(count: int) -> str:
    return QCoreApplication.translate("facts", "{0} tokens").format(grouped(count)) if count else ""


class FactsGrid(QWidget):
    """Names muted at the left, values at the right, which can be selected and copied."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._cells: list[QLabel] = []

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Replace what is shown."""
        for cell in self._cells:
            self._grid.removeWidget(cell)
            cell.deleteLater()
        self._cells = []
        for row, (name, value) in enumerate(facts):
            left, right = label("muted"), label(wrap=True)
            left.setText(name)
            right.setText(value)
            right.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for column, cell in enumerate((left, right)):
                self._grid.addWidget(cell, row, column, Qt.AlignmentFlag.AlignTop)
                self._cells.append(cell)

    def text(self) -> str:
        """Everything, one fact a line."""
        pairs = zip(self._cells[::2], self._cells[1::2], strict=True)
        return "\n".join(f"{name.text()}: {value.text()}" for name, value in pairs)
