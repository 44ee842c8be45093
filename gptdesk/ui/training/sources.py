"""The list of documents that the model is to learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gptdesk.training.sources import LINES_ENDING, PACKED_ENDINGS, TEXT_ENDINGS
from gptdesk.ui import choose
from gptdesk.ui.numbers import grouped, size_text
from gptdesk.ui.training.words import ENOUGH_CHARACTERS
from gptdesk.ui.widgets.parts import button, label, set_state

_PATH = Qt.ItemDataRole.UserRole
_MOST_FILES = 2000  # counting further would hold up the window


class SourceList(QWidget):
    """Files and folders; tells how much text they are.

    Args:
        open_paths: asked for the documents that are open in the window and have a file.
    """

    changed = Signal()

    def __init__(self, open_paths: Callable[[], Sequence[str]]) -> None:
        super().__init__()
        self._open_paths = open_paths
        self.place = str(Path.home())
        self._list = QListWidget()
        self._list.setObjectName("training.sources")
        self._list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self._list.setMinimumHeight(84)
        self._empty = label("muted", wrap=True)
        self._files = button("", "training.add_files")
        self._folder = button("", "training.add_folder")
        self._open = button("", "training.add_open")
        self._remove = button("", "training.remove")
        self._amount = label("status", name="training.amount", wrap=True)
        self._arrange()
        self.setFocusProxy(self._files)
        self._files.clicked.connect(self._add_files)
        self._folder.clicked.connect(self._add_folder)
        self._open.clicked.connect(self._add_open)
        self._remove.clicked.connect(self._remove_chosen)
        self._list.itemSelectionChanged.connect(self._show_buttons)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self._list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._remove_chosen)
        self._show_amount()

    def _arrange(self) -> None:
        self._list.setAccessibleName(self.tr("Documents to learn from"))
        self._files.setText(self.tr("Add files…"))
        self._folder.setText(self.tr("Add a folder…"))
        self._open.setText(self.tr("Add what is open"))
        self._open.setToolTip(self.tr("The documents in the window that are saved as files"))
        self._remove.setText(self.tr("Remove"))
        inside = QVBoxLayout(self._list)
        inside.setContentsMargins(18, 8, 18, 8)
        inside.addWidget(self._empty)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._empty.setText(
            self.tr("Texts that you wrote: plain text or Markdown. The more, the better.")
        )
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for widget in (self._files, self._folder, self._open):
            buttons.addWidget(widget)
        buttons.addStretch()
        buttons.addWidget(self._remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._list, 1)
        layout.addLayout(buttons)
        layout.addWidget(self._amount)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files and folders in the list."""
        rows = range(self._list.count())
        return tuple(str(self._list.item(row).data(_PATH)) for row in rows)

    @property
    def has_text(self) -> bool:
        """Whether anything in the list can be read."""
        return self._bytes > 0

    def add(self, paths: Iterable[str]) -> None:
        """Add files and folders that are not in the list yet."""
        for path in paths:
            if path and path not in self.paths:
                item = QListWidgetItem(self._shown(path), self._list)
                item.setData(_PATH, path)
                item.setToolTip(path)
        self._show_amount()
        self.changed.emit()

    @Slot()
    def _add_files(self) -> None:
        kinds = self.tr("Texts ({0})").format(" ".join(f"*{ending}" for ending in _endings()))
        chosen = choose.files(self, self.tr("Choose texts to learn from"), self.place, kinds)
        self._note_place(chosen)
        self.add(chosen)

    @Slot()
    def _add_folder(self) -> None:
        chosen = choose.folder(self, self.tr("Choose a folder of texts"), self.place)
        self._note_place([chosen] if chosen else [])
        self.add([chosen])

    @Slot()
    def _add_open(self) -> None:
        self.add(path for path in self._open_paths() if Path(path).is_file())

    @Slot()
    def _remove_chosen(self) -> None:
        for item in self._list.selectedItems():
            self._list.takeItem(self._list.row(item))
        self._show_amount()
        self.changed.emit()

    def _note_place(self, chosen: Sequence[str]) -> None:
        if chosen:
            self.place = str(Path(chosen[0]).parent)

    def _shown(self, path: str) -> str:
        name = Path(path).name or path
        return self.tr("{0} (folder)").format(name) if Path(path).is_dir() else name

    @Slot()
    def _show_buttons(self) -> None:
        self._remove.setEnabled(bool(self._list.selectedItems()))
        self._open.setEnabled(bool(self._open_paths()))

    def _show_amount(self) -> None:
        self._show_buttons()
        self._empty.setVisible(not self._list.count())
        sizes = [size for path in self.paths for size in _sizes(Path(path))]
        self._bytes = sum(sizes)
        state, text = "", ""
        if self.paths and not self._bytes:
            state, text = "red", self.tr("There is no text in this. What can be read: {0}")
            text = text.format("  ".join(_endings()))
        elif sizes:
            text = self.tr("{0} file, {1}") if len(sizes) == 1 else self.tr("{0} files, {1}")
            text = text.format(_count(len(sizes)), _size(self._bytes))
            if self._bytes < ENOUGH_CHARACTERS:
                little = self.tr("That is little: expect a touch of your style, not more.")
                state, text = "amber", f"{text}. {little}"
        self._amount.setText(text)
        self._amount.setVisible(bool(text))
        set_state(self._amount, state)


def _endings() -> tuple[str, ...]:
    return (*TEXT_ENDINGS, LINES_ENDING, *PACKED_ENDINGS)


def _sizes(path: Path) -> list[int]:
    """Bytes of the readable files at or below a path, of the first thousands."""
    try:
        return [file.stat().st_size for file in islice(_text_files(path), _MOST_FILES)]
    except OSError:
        return []


def _text_files(path: Path) -> Iterator[Path]:
    found = [path] if path.is_file() else path.rglob("*")
    for file in found:
        name = file.name.lower()
        for ending in PACKED_ENDINGS:
            name = name.removesuffix(ending)
        if name.endswith((*TEXT_ENDINGS, LINES_ENDING)) and file.is_file():
            yield file


def _count(files: int) -> str:
    return grouped(files) + ("+" if files >= _MOST_FILES else "")


def _size(count: int) -> str:
    return size_text(count) if count >= 100_000 else f"{max(1, round(count / 1000))}\u00a0kB"
