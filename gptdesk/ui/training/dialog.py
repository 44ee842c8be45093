"""Model > Teach the Model Your Style…: the order, the run to watch, and its report, in one dialog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gptdesk.training.events import TrainingFinished
from gptdesk.ui.models.controller import ModelController
from gptdesk.ui.training.controller import TrainingController
from gptdesk.ui.training.form import TeachingForm
from gptdesk.ui.training.watch_page import WatchPage
from gptdesk.ui.widgets.parts import button, label


class TeachingDialog(QDialog):
    """Stands beside the window, which stays usable; closing it does not stop a run."""

    def __init__(
        self,
        controller: TrainingController,
        models: ModelController,
        open_paths: Callable[[], Sequence[str]],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("training.dialog")
        self.setWindowTitle(self.tr("Teach the Model Your Style"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller, self._models = controller, models
        self._form = TeachingForm(open_paths, lambda: controller.unfinished)
        self._watch = WatchPage()
        self._pages = QStackedWidget()
        self._banner = QFrame()
        self._banner.setProperty("role", "card")
        self._banner_text = label("", name="training.unfinished", wrap=True)
        self._resume = button("", "training.resume")
        self._forget = button("link", "training.forget")
        self._folder = button("", "training.open_folder")
        self._back = button("", "training.back")
        self._close = button("", "training.close")
        self._stop = button("", "training.stop")
        self._start = button("primary", "training.start")
        self._again = button("primary", "training.again")
        self._use = button("primary", "training.use")
        self._arrange()
        self._connect()
        self._show_model()
        self._show_state()

    def _arrange(self) -> None:
        self._label_buttons()
        banner = QHBoxLayout(self._banner)
        banner.setContentsMargins(14, 10, 10, 10)
        banner.setSpacing(8)
        banner.addWidget(self._banner_text, 1)
        banner.addWidget(self._forget)
        banner.addWidget(self._resume)
        first = QWidget()
        column = QVBoxLayout(first)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._banner)
        column.addWidget(self._form, 1)
        self._pages.addWidget(first)
        self._pages.addWidget(self._watch)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self._folder)
        buttons.addWidget(self._back)
        buttons.addStretch()
        for widget in (self._stop, self._close, self._start, self._again, self._use):
            buttons.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(14)
        layout.addWidget(self._pages, 1)
        layout.addLayout(buttons)
        self.resize(580, 560)

    def _label_buttons(self) -> None:
        self._resume.setText(self.tr("Go on"))
        self._forget.setText(self.tr("Not now"))
        self._folder.setText(self.tr("Open folder"))
        self._back.setText(self.tr("Change the order…"))
        self._stop.setText(self.tr("Stop"))
        self._stop.setToolTip(self.tr("What was learnt is kept, and can go on another time"))
        self._start.setText(self.tr("Start"))
        self._use.setText(self.tr("Use it now"))

    def _connect(self) -> None:
        self._form.changed.connect(self._show_start)
        self._start.clicked.connect(self._start_run)
        self._resume.clicked.connect(self._resume_run)
        self._forget.clicked.connect(self._forget_run)
        self._again.clicked.connect(self._run_again)
        self._stop.clicked.connect(self._controller.stop)
        self._use.clicked.connect(self._use_result)
        self._folder.clicked.connect(self._controller.open_folder)
        self._back.clicked.connect(self._change_order)
        self._close.clicked.connect(self.close)
        self._controller.changed.connect(self._show_state)
        self._models.changed.connect(self._show_model)

    def reject(self) -> None:
        """Qt: Esc closes like any other way."""
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: what was seen need not be shown again; a run goes on."""
        self._controller.changed.disconnect(self._show_state)
        self._controller.put_away()
        event.accept()

    # --- what is shown ---

    @Slot()
    def _show_model(self) -> None:
        self._form.set_model(self._models.current)

    @Slot()
    def _show_start(self) -> None:
        self._start.setEnabled(self._form.request is not None)

    @Slot()
    def _show_state(self) -> None:
        """Show what there is now: an order to give, a run, or its end."""
        controller, end = self._controller, self._controller.progress.end
        running = controller.running
        finished = isinstance(end, TrainingFinished)
        stands = bool(controller.result)
        ordering = not running and end is None
        self._pages.setCurrentIndex(0 if ordering else 1)
        if ordering:
            self._show_unfinished()
        else:
            self._watch.show_state(controller.progress, stopping=controller.stopping)
        self._stop.setEnabled(not controller.stopping)
        self._close.setText(self.tr("Go on in the background") if running else self.tr("Close"))
        self._again.setText(self.tr("Go on") if finished else self.tr("Try again"))
        shown: dict[QPushButton, bool] = {
            self._start: ordering,
            self._stop: running,
            self._use: stands,
            self._folder: stands,
            self._again: end is not None and not stands,
            self._back: end is not None and not stands,
        }
        moved = any(widget.isHidden() == visible for widget, visible in shown.items())
        for widget, visible in shown.items():
            widget.setVisible(visible)
        self._show_start()
        if moved:
            self._give_keys(self._next_button(shown))

    def _next_button(self, shown: Mapping[QPushButton, bool]) -> QPushButton:
        """What the person most likely wants next."""
        primary = next((each for each in (self._use, self._again) if shown[each]), self._close)
        return self._start if shown[self._start] else primary

    def _give_keys(self, wanted: QPushButton) -> None:
        """Let Enter press a button, and put the focus there or where an order begins."""
        wanted.setDefault(True)
        if wanted is not self._start:
            wanted.setFocus()
        elif self._banner.isHidden():
            self._form.sources.setFocus()
        else:
            self._resume.setFocus()

    def _show_unfinished(self) -> None:
        request = self._controller.unfinished
        self._banner.setVisible(request is not None)
        if request is not None:
            text = self.tr("“{0}” was stopped before it was done.")
            self._banner_text.setText(text.format(request.name))

    # --- what is clicked ---

    @Slot()
    def _start_run(self) -> None:
        request = self._form.request
        if request is not None:
            self._controller.start(request)

    @Slot()
    def _resume_run(self) -> None:
        request = self._controller.unfinished
        if request is not None:
            self._controller.start(request)

    @Slot()
    def _forget_run(self) -> None:
        self._controller.forget_unfinished()
        self._banner.hide()

    @Slot()
    def _run_again(self) -> None:
        if self._controller.request is not None:
            self._controller.start(self._controller.request)

    @Slot()
    def _change_order(self) -> None:
        if self._controller.request is not None:
            self._form.fill(self._controller.request)
        self._controller.put_away()

    @Slot()
    def _use_result(self) -> None:
        self._controller.use_result()
        self.close()
