"""Which text a summary or translation starts from: the selection, the document, or pasted text."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gptdesk.ui.numbers import grouped
from gptdesk.ui.widgets.chips import ChipGroup
from gptdesk.ui.widgets.parts import label
from gptdesk.ui.widgets.translated import QT_TRANSLATE_NOOP, Translated

CONTEXT = "sources"
SELECTION, DOCUMENT, PASTED = "selection", "document", "pasted"
_LABELS = (
    (SELECTION, QT_TRANSLATE_NOOP("sources", "Selection")),
    (DOCUMENT, QT_TRANSLATE_NOOP("sources", "Document")),
    (PASTED, QT_TRANSLATE_NOOP("sources", "Pasted text")),
)


class SourceChooser(Translated, QWidget):
    """Three chips and a line that says how much text that is."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._heading = label("group")
        self.chips = ChipGroup("assistant.source_kind", _LABELS, CONTEXT)
        self.chips.value = DOCUMENT
        self._info = label("muted", name="assistant.source_info")
        self._figures = (0, 0)
        # What the person chose; a selection takes over while it lasts and gives back after.
        self._choice = DOCUMENT
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for widget in (self._heading, self.chips, self._info):
            layout.addWidget(widget)
        self.chips.changed.connect(self._chosen)
        self.retranslate()

    def retranslate(self) -> None:
        """Label everything in the language of the window."""
        heading = self.tr("Source")
        self._heading.setText(heading.upper())
        self.chips.setAccessibleName(heading)
        self.show_figures(*self._figures)

    @property
    def kind(self) -> str:
        """The source in use: "selection", "document" or "pasted"."""
        return self.chips.value

    def choose(self, kind: str) -> None:
        """Choose a source, as a click on its chip does."""
        self.chips.value = kind
        self._chosen(kind)

    def set_selection(self, exists: bool) -> None:
        """Take a selection as the source as soon as there is one; pasted text stays chosen."""
        self.chips.set_enabled(SELECTION, exists)
        if exists and self.kind == DOCUMENT:
            self.chips.value = SELECTION
        elif not exists and self.kind == SELECTION:
            self.chips.value = DOCUMENT if self._choice == SELECTION else self._choice
        else:
            return
        self.changed.emit()

    def show_figures(self, words: int, parts: int) -> None:
        """How long the source is, and in how many parts the model must read it (0: not known)."""
        self._figures = (words, parts)
        names = {
            SELECTION: self.tr("Selection · {0} words"),
            DOCUMENT: self.tr("Whole document · {0} words"),
            PASTED: self.tr("Pasted text · {0} words"),
        }
        text = names[self.kind or DOCUMENT].format(grouped(words))
        if parts > 1:
            text += self.tr(" · {0} parts").format(parts)
        self._info.setText(text)

    def _chosen(self, kind: str) -> None:
        self._choice = kind
        self.changed.emit()
