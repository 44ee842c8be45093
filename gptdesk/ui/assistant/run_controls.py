"""Generate and Stop, and below them Accept, Retry and the alternatives of a continuation."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from gptdesk.ui.widgets.parts import button, label
from gptdesk.ui.widgets.translated import Translated


class RunControls(Translated, QWidget):
    """Buttons that stay where they are: busy, Generate says how far the work is."""

    generate_clicked = Signal()
    stop_clicked = Signal()
    accept_clicked = Signal()
    retry_clicked = Signal()
    alternative_clicked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.generate = button("primary", "assistant.generate")
        self.stop = button("", "assistant.stop")
        self.accept = button("link", "assistant.accept")
        self.retry = button("link", "assistant.retry")
        self.previous = button("link", "assistant.previous")
        self.next = button("link", "assistant.next")
        self.position = label("muted", name="assistant.position")
        self._busy = ""
        self._row = QWidget()
        self._arrange()
        self.generate.clicked.connect(self.generate_clicked)
        self.stop.clicked.connect(self.stop_clicked)
        self.accept.clicked.connect(self.accept_clicked)
        self.retry.clicked.connect(self.retry_clicked)
        self.previous.clicked.connect(self._go_back)
        self.next.clicked.connect(self._go_on)
        self.retranslate()
        self.show_idle()
        self.show_alternatives(0, 0)

    def _arrange(self) -> None:
        self.generate.setMinimumHeight(34)
        self.stop.setMinimumHeight(34)
        self.generate.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.previous.setText("◂")
        self.next.setText("▸")
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.generate, 1)
        top.addWidget(self.stop)
        below = QHBoxLayout(self._row)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(8)
        below.addWidget(self.accept)
        below.addWidget(self.retry)
        below.addStretch()
        for widget in (self.previous, self.position, self.next):
            below.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self._row)

    def retranslate(self) -> None:
        """Label the buttons, keys included."""
        self._label_generate()
        self.stop.setText(self.tr("Stop"))
        self.stop.setToolTip(self.tr("Stop and keep what has come (Esc)"))
        self.accept.setText(self.tr("Accept  Tab"))
        self.retry.setText(self.tr("Retry  Ctrl R"))
        self.previous.setAccessibleName(self.tr("Previous version"))
        self.previous.setToolTip(self.tr("Previous version (Alt+[)"))
        self.next.setAccessibleName(self.tr("Next version"))
        self.next.setToolTip(self.tr("Next version (Alt+])"))

    def show_busy(self, text: str) -> None:
        """A run goes on; `text` says how far it is."""
        self._busy = text
        self.generate.setEnabled(False)
        self.stop.setEnabled(True)
        self._label_generate()

    def show_idle(self) -> None:
        """Nothing runs."""
        self._busy = ""
        self.generate.setEnabled(True)
        self.stop.setEnabled(False)
        self._label_generate()

    def show_alternatives(self, index: int, count: int, *, busy: bool = False) -> None:
        """Which of how many versions is in sight; none at all with `count` 0."""
        self.accept.setEnabled(count > 0)
        self.retry.setEnabled(count > 0 and not busy)
        self.previous.setEnabled(index > 0 and not busy)
        self.next.setEnabled(index < count - 1 and not busy)
        self.position.setText(f"{index + 1} / {count}" if count else "– / –")
        self.position.setEnabled(count > 0)

    def show_row(self, shown: bool) -> None:
        """Whether the mode works in the text, where Accept and the versions make sense."""
        self._row.setVisible(shown)

    def _label_generate(self) -> None:
        idle = self.tr("Generate     Ctrl ↵")
        self.generate.setText(self._busy or idle)
        self.generate.setAccessibleName(self.tr("Generate"))

    def _go_back(self) -> None:
        self.alternative_clicked.emit(-1)

    def _go_on(self) -> None:
        self.alternative_clicked.emit(1)
