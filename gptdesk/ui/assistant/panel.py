"""The assistant's panel: mode, options, source, sampling, buttons and the result's card."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from gptdesk.tasks.base import Task
from gptdesk.ui.assistant.caveat_notice import CaveatNotice
from gptdesk.ui.assistant.compare_pane import ComparePane
from gptdesk.ui.assistant.mode_selector import ModeSelector
from gptdesk.ui.assistant.options_form import OptionsForm
from gptdesk.ui.assistant.result_card import ResultCard
from gptdesk.ui.assistant.run_controls import RunControls
from gptdesk.ui.assistant.sampling_form import SamplingForm
from gptdesk.ui.assistant.source_chooser import PASTED, SourceChooser
from gptdesk.ui.assistant.source_text import SourceText
from gptdesk.ui.widgets.parts import button
from gptdesk.ui.widgets.translated import Translated

CONTINUE, SUMMARIZE, TRANSLATE, REWRITE = "continue", "summarize", "translate", "rewrite"
SIDE_BY_SIDE = frozenset({TRANSLATE, REWRITE})
MARGIN = 18


class AssistantPanel(Translated, QWidget):
    """Lays the parts out for the mode; what they do is the controller's.

    Where a task brings its own sampling (all but Continue), the sampling form hides behind a link.
    The source's box and the result's card stand in the panel for summaries and in the comparison
    below the text for translations and rewritten texts; they are the same two widgets.
    """

    mode_changed = Signal(str)
    changed = Signal()

    def __init__(self, tasks: Sequence[Task], compare: ComparePane) -> None:
        super().__init__()
        self.setObjectName("assistant")
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.compare = compare
        self.modes = ModeSelector(tasks)
        self.forms = {task.id: OptionsForm(task) for task in tasks}
        self.source = SourceChooser()
        self.source_text = SourceText()
        self.sampling = SamplingForm()
        self.caveats = CaveatNotice()
        self.controls = RunControls()
        self.card = ResultCard()
        self._sampling_link = button("link", "assistant.sampling.show")
        self._sampling_link.setCheckable(True)
        self._arrange()
        self._connect()
        self.retranslate()
        self.set_mode(CONTINUE)

    def _arrange(self) -> None:
        content = QWidget()
        content.setProperty("role", "panel")
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(MARGIN, 16, MARGIN, MARGIN)
        self._column.setSpacing(12)
        policy = self._sampling_link.sizePolicy().Policy
        self._sampling_link.setSizePolicy(policy.Maximum, policy.Fixed)
        self.source_text.setMinimumHeight(110)
        for widget in (
            self.modes,
            *self.forms.values(),
            self.source,
            self.source_text,
            self._sampling_link,
            self.sampling,
            self.caveats,
            self.controls,
        ):
            self._column.addWidget(widget)
        self._column.addWidget(self.card, 1)
        self._column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    def _connect(self) -> None:
        self.modes.changed.connect(self.set_mode)
        self.source.changed.connect(self._show_source_box)
        self._sampling_link.toggled.connect(self._show_sampling)
        for form in self.forms.values():
            form.changed.connect(self.changed)
        self.sampling.changed.connect(self.changed)

    def retranslate(self) -> None:
        """Label what the panel itself says."""
        self.setAccessibleName(self.tr("Assistant"))
        self._label_sampling_link()
        self._label_card()

    @property
    def mode(self) -> str:
        """Id of the chosen task."""
        return self.modes.mode

    def set_mode(self, mode: str) -> None:
        """Lay the panel out for a task."""
        self.modes.mode = mode
        writes_in_text = mode == CONTINUE
        for key, form in self.forms.items():
            form.setVisible(key == mode)
        self.source.setVisible(not writes_in_text)
        self._sampling_link.setVisible(not writes_in_text)
        self.sampling.set_mode(advised=not writes_in_text)
        self.controls.show_row(writes_in_text)
        self._show_sampling()
        self._place(mode)
        self._label_card()
        self.mode_changed.emit(mode)

    def options(self) -> dict[str, Any]:
        """Options of the chosen task."""
        return self.forms[self.mode].values()

    def all_options(self) -> dict[str, dict[str, Any]]:
        """Options of every task, for the settings."""
        return {key: form.values() for key, form in self.forms.items()}

    def restore_options(self, saved: Mapping[str, Any]) -> None:
        """Show the options of an earlier session."""
        for key, form in self.forms.items():
            if isinstance(saved.get(key), dict):
                form.set_values(saved[key])

    def mark_languages(self, experimental: Collection[str]) -> None:
        """Mark the languages, by code, that the model in use is weak at."""
        for form in self.forms.values():
            form.mark_languages(experimental)

    def _place(self, mode: str) -> None:
        if mode in SIDE_BY_SIDE:
            self.compare.hold(self.source_text, self.card, self.card.text_view)
        else:
            self._column.insertWidget(self._column.indexOf(self.source) + 1, self.source_text)
            self._column.insertWidget(self._column.count() - 1, self.card, 1)
        self.card.setVisible(mode != CONTINUE)
        self.compare.setVisible(mode in SIDE_BY_SIDE)
        self._show_source_box()

    def _show_source_box(self) -> None:
        pasted = self.source.kind == PASTED
        in_panel = self.mode == SUMMARIZE and pasted
        self.source_text.setVisible(in_panel or self.mode in SIDE_BY_SIDE)

    def _show_sampling(self) -> None:
        self.sampling.setVisible(self.mode == CONTINUE or self._sampling_link.isChecked())
        self._label_sampling_link()

    def _label_sampling_link(self) -> None:
        text = self.tr("Sampling: as the task advises")
        if self.sampling.preset:
            text = self.tr("Sampling: chosen below")
        self._sampling_link.setText(f"{text} {'▴' if self._sampling_link.isChecked() else '▾'}")

    def _label_card(self) -> None:
        texts = {
            SUMMARIZE: self.tr("The summary will stand here."),
            TRANSLATE: self.tr("The translation will stand here."),
            REWRITE: self.tr("The rewritten text will stand here."),
        }
        self.card.set_placeholder(texts.get(self.mode, ""))
        rewritten = self.mode == REWRITE
        self.compare.name_result(self.tr("Rewritten") if rewritten else self.tr("Translation"))
