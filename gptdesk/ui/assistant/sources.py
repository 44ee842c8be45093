"""Keeps the source of a run up to date with the document and the selection."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from gptdesk.ui.assistant.panel import CONTINUE, SIDE_BY_SIDE, AssistantPanel
from gptdesk.ui.assistant.result import Source, growing_range
from gptdesk.ui.assistant.source_chooser import PASTED, SELECTION
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.numbers import count_words

_PAUSE_MS = 250


class Sources(QObject):
    """Says what the source is now; refreshed a moment after the last change, never while typing."""

    changed = Signal()

    def __init__(self, panel: AssistantPanel, tabs: DocumentTabs, parent: QObject) -> None:
        super().__init__(parent)
        self._panel, self._tabs = panel, tabs
        self._editor: TextEdit | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.refresh)
        panel.mode_changed.connect(self.refresh)
        panel.source.changed.connect(self.refresh)
        panel.source_text.pasted_changed.connect(self._timer.start)
        tabs.text_changed.connect(self._timer.start)
        tabs.current_changed.connect(self._tab_changed)
        self._tab_changed()

    def take(self) -> Source:
        """The source in use, as it stands now."""
        editor = self._tabs.current.editor
        kind = self._panel.source.kind
        if kind == PASTED:
            return Source(self._panel.source_text.pasted_text)
        if kind == SELECTION and editor.selected_text():
            return Source(editor.selected_text(), editor, growing_range(editor.textCursor()))
        return Source(editor.plain_text(), editor)

    @Slot()
    def refresh(self) -> None:
        """Show the source's length and, in a comparison, its text."""
        if self._panel.mode == CONTINUE:
            return
        text = self.take().text
        if self._panel.source.kind == PASTED:
            self._panel.source_text.show_pasted()
        elif self._panel.mode in SIDE_BY_SIDE:
            self._panel.source_text.mirror(text)
        self._panel.source.show_figures(count_words(text), 0)
        self.changed.emit()

    def show_parts(self, parts: int) -> None:
        """After a run: in how many parts the model read the source."""
        self._panel.source.show_figures(count_words(self.take().text), parts)

    @Slot()
    def _tab_changed(self) -> None:
        if self._editor is not None and shiboken6.isValid(self._editor):
            self._editor.selectionChanged.disconnect(self._selection_changed)
        self._editor = self._tabs.current.editor
        self._editor.selectionChanged.connect(self._selection_changed)
        self._selection_changed()

    @Slot()
    def _selection_changed(self) -> None:
        self._panel.source.set_selection(self._tabs.current.editor.textCursor().hasSelection())
        self._timer.start()
