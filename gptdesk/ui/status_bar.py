"""The line at the foot: model, speed, progress of loading, words, context, offline."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QWidget

from gptdesk.ui.numbers import grouped
from gptdesk.ui.widgets.parts import button, label, set_state, show_progress
from gptdesk.ui.widgets.translated import Translated

AMBER_FROM = 0.85


class StatusBar(Translated, QFrame):
    """Says only what is so now; what is unknown is not shown."""

    cancel_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "statusbar")
        self._model = label("status", name="status.model")
        self._speed = label("status", name="status.speed")
        self._progress_text = label("status", name="status.progress")
        self._progress = _bar("status.progress_bar", 120)
        self._cancel = button("link", "status.cancel")
        self._words = label("status", name="status.words")
        self._context_bar = _bar("status.context_bar", 110)
        self._context = label("status", name="status.context")
        self._offline = label("status", name="status.offline")
        self._figures = (0, 0)
        self._word_count = 0
        self._speed_value = 0.0
        self._loading = QWidget()
        self._arrange()
        self._cancel.clicked.connect(self.cancel_clicked)
        self.retranslate()
        self.show_progress("", 0, 0)
        self.show_context(0, 0)

    def _arrange(self) -> None:
        loading = QHBoxLayout(self._loading)
        loading.setContentsMargins(0, 0, 0, 0)
        loading.setSpacing(8)
        for widget in (self._progress_text, self._progress, self._cancel):
            loading.addWidget(widget)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 0, 14, 0)
        layout.setSpacing(18)
        layout.addWidget(self._model)
        layout.addWidget(self._speed)
        layout.addWidget(self._loading)
        self._entries = QHBoxLayout()
        layout.addLayout(self._entries)
        layout.addStretch()
        for widget in (self._words, self._context_bar, self._context, self._offline):
            layout.addWidget(widget)
        self._model.setMinimumWidth(40)
        self.setFixedHeight(28)

    def retranslate(self) -> None:
        """Say everything again in the language of the window."""
        self._cancel.setText(self.tr("Cancel"))
        self._offline.setText("● " + self.tr("offline"))
        self._offline.setToolTip(self.tr("gptdesk never connects to anything."))
        self._context_bar.setAccessibleName(self.tr("Context used"))
        self.show_words(self._word_count)
        self.show_context(*self._figures)
        self.show_speed(self._speed_value)

    def add_entry(self, widget: QWidget) -> None:
        """Give a place to what goes on in the background; it shows and hides itself."""
        self._entries.addWidget(widget)

    def show_model(self, text: str) -> None:
        """Name, engine and device of the model."""
        self._model.setText(text)
        self._model.setToolTip(text)

    def show_speed(self, tokens_per_second: float) -> None:
        """How fast the last run was; 0 says nothing."""
        self._speed_value = tokens_per_second
        digits = 0 if tokens_per_second >= 10 else 1
        text = self.tr("{0} tok/s").format(f"{tokens_per_second:.{digits}f}")
        self._speed.setText(text if tokens_per_second else "")
        self._speed.setVisible(bool(tokens_per_second))

    def show_words(self, words: int) -> None:
        """Words of the document; each Chinese character is one."""
        self._word_count = words
        text = self.tr("{0} word") if words == 1 else self.tr("{0} words")
        self._words.setText(text.format(grouped(words)))

    def show_context(self, used: int, available: int) -> None:
        """Tokens the model will read, of those it can; amber from 85%, red when text is left out."""
        self._figures = (used, available)
        shown = available > 0
        self._context.setVisible(shown)
        self._context_bar.setVisible(shown)
        if not shown:
            return
        state = "red" if used > available else "amber" if used >= AMBER_FROM * available else ""
        set_state(self._context, state)
        set_state(self._context_bar, state)
        self._context.setText(f"{grouped(used)} / {grouped(available)}")
        show_progress(self._context_bar, used, available)
        explained = self.tr("Tokens before the cursor, and how many the model can read")
        if state == "red":
            explained = self.tr("The beginning of the text is left out: it exceeds the context")
        self._context.setToolTip(explained)
        self._context_bar.setToolTip(explained)

    def show_progress(self, text: str, done: int, total: int, *, can_cancel: bool = True) -> None:
        """What is being loaded or exported, with a way to stop it; "" when nothing is."""
        self._loading.setVisible(bool(text))
        self._progress_text.setText(text)
        show_progress(self._progress, done, total)
        self._cancel.setVisible(can_cancel)


def _bar(name: str, width: int) -> QProgressBar:
    bar = QProgressBar()
    bar.setObjectName(name)
    bar.setTextVisible(False)
    bar.setFixedWidth(width)
    return bar
