"""The row of tabs: titles, the mark of unsaved changes, a cross to close each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QTabBar, QToolButton, QWidget

from gptdesk.ui.documents.view import DocumentView
from gptdesk.ui.theme.colors import Colors

_SIDE = QTabBar.ButtonPosition.RightSide


class TabStrip(QTabBar):
    """One tab for each document, in the same order as the documents."""

    close_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("documents.tabs")
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setMovable(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.setUsesScrollButtons(True)
        self._retranslate()

    def add(self, view: DocumentView) -> int:
        """Add a tab at the end and return its index."""
        index = self.addTab(view.title)
        cross = QToolButton(self)
        cross.setObjectName("documents.close")
        cross.setText("×")
        # Ctrl+W is the keyboard's way; a stop of Tab at each cross would be in the way.
        cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        cross.clicked.connect(self._on_cross)
        self.setTabButton(index, _SIDE, cross)
        self._retranslate()
        return index

    def show_titles(self, views: Sequence[DocumentView]) -> None:
        """Write the documents' titles; a dot marks those with unsaved changes."""
        for index, view in enumerate(views):
            title = view.title.replace("&", "&&")
            self.setTabText(index, f"{title} •" if view.modified else title)
            self.setTabToolTip(index, str(view.path or ""))

    def set_colors(self, colors: Colors) -> None:
        """Take over the colours of a theme."""
        self.setStyleSheet(
            f"QToolButton {{ color: {colors.muted}; background: transparent; border: none; }}"
            f"QToolButton:hover {{ color: {colors.ink}; }}"
        )

    def changeEvent(self, event: QEvent) -> None:
        """Qt: the language of the window changed."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Documents"))
        for index in range(self.count()):
            cross = self.tabButton(index, _SIDE)
            cross.setAccessibleName(self.tr("Close"))
            cross.setToolTip(self.tr("Close"))

    def _on_cross(self) -> None:
        cross = self.sender()
        for index in range(self.count()):
            if self.tabButton(index, _SIDE) is cross:
                self.close_wanted.emit(index)
                return
