"""Teaching that goes on behind the writing, at the foot of the window: how far it is, and the way back."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QWidget

from gptdesk.ui.training.progress import TeachingProgress
from gptdesk.ui.training.words import percent, stage_words
from gptdesk.ui.widgets.parts import button, show_progress
from gptdesk.ui.widgets.translated import Translated


class TrainingEntry(Translated, QWidget):
    """Seen only while a run is on."""

    clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._button = button("link", "status.training")
        self._bar = QProgressBar()
        self._bar.setObjectName("status.training_bar")
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(60)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._button)
        layout.addWidget(self._bar)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        self._button.clicked.connect(self.clicked)
        self._progress = TeachingProgress()
        self.retranslate()
        self.hide()

    def retranslate(self) -> None:
        """Say everything again in the language of the window."""
        self._button.setToolTip(self.tr("Show how the model learns"))
        self.show_state(self._progress, stopping=False)

    def show_state(self, progress: TeachingProgress, *, stopping: bool) -> None:
        """How far a run is."""
        self._progress = progress
        text = self.tr("learning")
        if stopping:
            text = self.tr("stopping")
        elif progress.learning and progress.total:
            share = min(1.0, progress.done / progress.total)
            text = self.tr("learning {0}").format(percent(share))
        self._button.setText(text)
        self._button.setAccessibleDescription(stage_words(progress.stage))
        show_progress(self._bar, progress.done, progress.total)
