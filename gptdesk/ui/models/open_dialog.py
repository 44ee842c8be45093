"""Open Model…: the models there are, what a chosen one needs, and loading it with a way to stop."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from gptdesk.checkpoints.info import ModelInfo
from gptdesk.errors import GptDeskError
from gptdesk.generation.events import Progress
from gptdesk.ui import choose
from gptdesk.ui.assistant.progress_text import progress_text
from gptdesk.ui.error_texts import told_error
from gptdesk.ui.models.controller import ModelController
from gptdesk.ui.models.facts import one_line
from gptdesk.ui.models.model_card import ModelCard
from gptdesk.ui.widgets.parts import button, label, show_progress

_PATH = Qt.ItemDataRole.UserRole


class OpenModelDialog(QDialog):
    """Nothing is read but headers until Load is pressed."""

    def __init__(
        self, controller: ModelController, models: Sequence[ModelInfo], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("model.open_dialog")
        self.setWindowTitle(self.tr("Open Model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller = controller
        self._path = ""
        self._list = QListWidget()
        self._list.setObjectName("model.list")
        self._list.setAccessibleName(self.tr("Models"))
        self._card = ModelCard()
        self._bar = QProgressBar()
        self._bar.setObjectName("model.progress_bar")
        self._bar.setTextVisible(False)
        self._status = label("muted", name="model.progress")
        self._browse = button("", "model.browse")
        self._cancel = button("", "model.cancel")
        self._load = button("primary", "model.load")
        self._arrange()
        self._connect()
        for info in models:
            self._add(str(info.path), one_line(info))
        self._show_loading(False)
        self._list.setCurrentRow(0)

    def _arrange(self) -> None:
        self._browse.setText(self.tr("Choose a folder…"))
        self._cancel.setText(self.tr("Cancel"))
        self._load.setText(self.tr("Load"))
        self._load.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self._browse)
        buttons.addStretch()
        buttons.addWidget(self._cancel)
        buttons.addWidget(self._load)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 16)
        layout.setSpacing(10)
        layout.addWidget(self._list, 1)
        for widget in (self._card, self._status, self._bar):
            layout.addWidget(widget)
        layout.addLayout(buttons)
        self.resize(540, 540)

    def _connect(self) -> None:
        self._list.currentItemChanged.connect(self._chosen)
        self._list.itemActivated.connect(self._start)
        self._browse.clicked.connect(self._choose_folder)
        self._load.clicked.connect(self._start)
        self._cancel.clicked.connect(self.reject)
        self._controller.inspected.connect(self._show_inspection)
        self._controller.load_progress.connect(self._show_progress)
        self._controller.load_ended.connect(self._loaded)

    def choose_path(self, path: str) -> None:
        """Inspect a folder, as if it had been chosen in the file dialog."""
        self._list.setCurrentItem(self._add(path, path))

    def reject(self) -> None:
        """Qt: Cancel and Esc stop a load first; the dialog then stays for another choice."""
        if self._controller.loading:
            self._controller.cancel_load()
        else:
            super().reject()

    def _add(self, path: str, text: str) -> QListWidgetItem:
        item = QListWidgetItem(text, self._list)
        item.setData(_PATH, path)
        item.setToolTip(path)
        return item

    @Slot()
    def _choose_folder(self) -> None:
        path = choose.folder(self, self.tr("Choose the folder of a model"), self._path)
        if path:
            self.choose_path(path)

    @Slot()
    def _chosen(self) -> None:
        item = self._list.currentItem()
        self._path = str(item.data(_PATH)) if item is not None else ""
        self._load.setEnabled(False)
        if self._path:
            self._card.show_reading(self._path)
            self._controller.inspect(self._path)

    @Slot(str, object)
    def _show_inspection(self, path: str, answer: ModelInfo | GptDeskError) -> None:
        if path != self._path:
            return  # another one has been chosen since
        if isinstance(answer, ModelInfo):
            self._card.show_model(answer)
            self._load.setEnabled(not answer.refusal and not self._controller.loading)
        else:
            self._card.show_error(path, answer)

    @Slot()
    def _start(self) -> None:
        if self._load.isEnabled():
            self._card.show_problem("", "")
            self._show_loading(True)
            self._controller.load(self._path)

    def _show_loading(self, loading: bool) -> None:
        self._bar.setVisible(loading)
        self._status.setVisible(loading)
        for widget in (self._list, self._browse, self._load):
            widget.setEnabled(not loading)

    @Slot(object)
    def _show_progress(self, progress: Progress) -> None:
        self._status.setText(progress_text(progress))
        show_progress(self._bar, progress.done, progress.total)

    @Slot(object)
    def _loaded(self, error: GptDeskError | None) -> None:
        self._show_loading(False)
        current = self._controller.current
        if error is not None:
            self._card.show_problem(*told_error(error))
        elif current is not None and self._controller.last_loaded == self._path:
            self.accept()
