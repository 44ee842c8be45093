"""Open Model…: the models there are, what a chosen one needs, and loading it with a way to stop."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
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
    """Nothing is read but headers until Load is pressed.

    Looking for models goes on beside the dialog, which can be used meanwhile.
    """

    def __init__(self, controller: ModelController, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("model.open_dialog")
        self.setWindowTitle(self.tr("Open Model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._controller = controller
        self._path = ""
        self._by_hand: list[str] = []
        self._list = QListWidget()
        self._list.setObjectName("model.list")
        self._list.setAccessibleName(self.tr("Models"))
        self._card = ModelCard()
        self._bar = QProgressBar()
        self._bar.setObjectName("model.progress_bar")
        self._bar.setTextVisible(False)
        self._status = label("muted", name="model.progress")
        self._browse = button("", "model.browse")
        self._file = button("", "model.browse_file")
        self._places = button("", "model.places")
        self._menu = QMenu(self)
        self._cancel = button("", "model.cancel")
        self._load = button("primary", "model.load")
        self._arrange()
        self._connect()
        self._show_loading(False)
        self._look()

    def _arrange(self) -> None:
        self._browse.setText(self.tr("Choose a folder…"))
        self._file.setText(self.tr("Choose a file…"))
        self._places.setText(self.tr("Places"))
        self._places.setToolTip(self.tr("Folders in which models are looked for"))
        self._places.setMenu(self._menu)
        self._cancel.setText(self.tr("Cancel"))
        self._load.setText(self.tr("Load"))
        self._load.setDefault(True)
        buttons = QHBoxLayout()
        for left in (self._browse, self._file, self._places):
            buttons.addWidget(left)
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
        self._file.clicked.connect(self._choose_file)
        self._menu.aboutToShow.connect(self._fill_places)
        self._load.clicked.connect(self._start)
        self._cancel.clicked.connect(self.reject)
        self._controller.listed.connect(self._show_models)
        self._controller.inspected.connect(self._show_inspection)
        self._controller.load_progress.connect(self._show_progress)
        self._controller.load_ended.connect(self._loaded)

    def choose_path(self, path: str) -> None:
        """Inspect a folder or file, as if it had been chosen in the file dialog."""
        self._by_hand.append(path)
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
    def _choose_file(self) -> None:
        kinds = self.tr("Models ({0})").format("*.gguf *.safetensors *.onnx *.bin *.pt *.pth")
        path = choose.file(self, self.tr("Choose a file of a model"), self._path, kinds)
        if path:
            self.choose_path(path)

    @Slot()
    def _look(self) -> None:
        self._status.setText(self.tr("Looking for models…"))
        self._status.show()
        self._controller.look_for_models()

    @Slot(object)
    def _show_models(self, models: Sequence[ModelInfo]) -> None:
        """Replace the list; what was chosen meanwhile stays chosen."""
        with QSignalBlocker(self._list):
            self._list.clear()
            for info in models:
                self._add(str(info.path), one_line(info))
            listed = {str(info.path) for info in models}
            for path in dict.fromkeys(self._by_hand):
                if path not in listed:
                    self._add(path, path)
            rows = range(self._list.count())
            paths = [str(self._list.item(row).data(_PATH)) for row in rows]
            self._list.setCurrentRow(paths.index(self._path) if self._path in paths else 0)
        if not self._controller.loading:
            self._status.hide()
        if self._path not in paths:
            self._chosen()

    # --- where models are looked for ---

    @Slot()
    def _fill_places(self) -> None:
        self._menu.clear()
        self._menu.addAction(self.tr("Look in another folder…"), self._add_place)
        again = self._menu.addAction(self.tr("Look again"), self._look)
        again.setShortcut(QKeySequence.StandardKey.Refresh)
        self._menu.addSeparator()
        for place in self._controller.places:
            action = self._menu.addAction(self.tr("Stop looking in {0}").format(place))
            action.setData(place)
            action.triggered.connect(self._remove_place)

    @Slot()
    def _add_place(self) -> None:
        place = choose.folder(self, self.tr("Choose a folder that holds models"), self._path)
        if place:
            self._controller.set_places([*self._controller.places, place])
            self._look()

    @Slot()
    def _remove_place(self) -> None:
        action = self.sender()
        place = action.data() if isinstance(action, QAction) else None
        self._controller.set_places([path for path in self._controller.places if path != place])
        self._look()

    # --- the chosen one ---

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
        for widget in (self._list, self._browse, self._file, self._places, self._load):
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
