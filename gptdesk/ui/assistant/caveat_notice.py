"""The quiet notice below a task's form: what to expect where the model is weak, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout

from gptdesk.ui.error_texts import told_all
from gptdesk.ui.widgets.parts import button, label
from gptdesk.ui.widgets.translated import Translated


class CaveatNotice(Translated, QFrame):
    """Hidden while there is nothing to say; it never stands in the way of a run."""

    open_model_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("assistant.caveats")
        self.setProperty("role", "notice")
        self._caveats: tuple[str, ...] = ()
        self._words = label("caveat", name="assistant.caveats.words", wrap=True)
        self._link = button("link", "assistant.caveats.open_model")
        policy = self._link.sizePolicy().Policy
        self._link.setSizePolicy(policy.Maximum, policy.Fixed)
        self._link.clicked.connect(self.open_model_clicked)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 0, 0)
        layout.setSpacing(2)
        self._words.setContentsMargins(6, 0, 0, 0)  # as far in as the link, which has a border
        layout.addWidget(self._words)
        layout.addWidget(self._link)
        self.retranslate()
        self.hide()

    def retranslate(self) -> None:
        """Say it in the language of the window."""
        self._words.setText("\n".join(told_all(self._caveats)))
        self._link.setText(self.tr("Open a larger model…"))
        self.setAccessibleName(self._words.text())

    def show_caveats(self, caveats: Sequence[str]) -> None:
        """Show these English sentences from below the window; none hides the notice."""
        self._caveats = tuple(caveats)
        self.retranslate()
        self.setVisible(bool(caveats))
