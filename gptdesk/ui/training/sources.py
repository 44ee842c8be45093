"""The list of documents that the model is to learn from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from gptdesk.training.sources import LINES_ENDING, PACKED_ENDINGS, TEXT_ENDINGS
from gptdesk.ui import choose
from gptdesk.ui.numbers import grouped, size_text
from gptdesk.ui.training.words import ENOUGH_CHARACTERS
from gptdesk.ui.widgets.parts import button, label, set_state

_PATH, _AMOUNT = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_MOST_FILES = 20_000  # looking at more would hold up the window


@dataclass(frozen=True)
class _Amount:
    """Text at or below a path.

    Attributes:
        files, size: how many files, and their bytes together.
        more: whether there was too much to look at all of it.
    """

    files: int = 0
    size: int = 0
    more: bool = False


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
        self.setAcceptDrops(True)
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
        """The files and folders in the list that hold text."""
        return tuple(str(item.data(_PATH)) for item in self._items() if item.data(_AMOUNT).files)

    def _items(self) -> list[QListWidgetItem]:
        return [self._list.item(row) for row in range(self._list.count())]

    def add(self, paths: Iterable[str]) -> None:
        """Add files and folders that are not in the list yet."""
        known = {str(item.data(_PATH)) for item in self._items()}
        for path in dict.fromkeys(paths):
            if path and path not in known:
                amount = _amount(Path(path))
                item = QListWidgetItem(self._shown(path, amount), self._list)
                item.setData(_PATH, path)
                item.setData(_AMOUNT, amount)
                item.setToolTip(path)
        self._show_amount()
        self.changed.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Qt: files and folders may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt: add what is dropped."""
        self.add(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile())
        event.acceptProposedAction()

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

    def _shown(self, path: str, amount: _Amount) -> str:
        name = Path(path).name or path
        if not amount.files:
            return self.tr("{0} (no text, left out)").format(name)
        return self.tr("{0} (folder)").format(name) if Path(path).is_dir() else name

    @Slot()
    def _show_buttons(self) -> None:
        self._remove.setEnabled(bool(self._list.selectedItems()))
        self._open.setEnabled(bool(self._open_paths()))

    def _show_amount(self) -> None:
        self._show_buttons()
        self._empty.setVisible(not self._list.count())
        amounts = [item.data(_AMOUNT) for item in self._items()]
        files, size = sum(each.files for each in amounts), sum(each.size for each in amounts)
        state, text = "", ""
        if amounts and not files:
            state, text = "red", self.tr("There is no text in this. What can be read: {0}")
            text = text.format("  ".join(_endings()))
        elif files:
            count = grouped(files) + ("+" if any(each.more for each in amounts) else "")
            text = self.tr("{0} file, {1}") if files == 1 else self.tr("{0} files, {1}")
            text = text.format(count, _size(size))
            if size < ENOUGH_CHARACTERS:
                little = self.tr("{0}. That is little: expect a touch of your style, not more.")
                state, text = "amber", little.format(text)
        self._amount.setText(text)
        self._amount.setVisible(bool(text))
        set_state(self._amount, state)


def _endings() -> tuple[str, ...]:
    return (*TEXT_ENDINGS, LINES_ENDING, *PACKED_ENDINGS)


def _amount(path: Path) -> _Amount:
    """What `gptdesk finetune` would read of a file or folder."""
    found = [path] if path.is_file() else path.rglob("*")
    entries: list[Path] = []
    sizes: list[int] = []
    with contextlib.suppress(OSError):  # what cannot be looked into counts as it is so far
        entries.extend(islice(found, _MOST_FILES))
        sizes.extend(file.stat().st_size for file in entries if _is_text(file, path))
    return _Amount(len(sizes), sum(sizes), len(entries) == _MOST_FILES)


def _is_text(file: Path, root: Path) -> bool:
    name = file.name.lower()
    for ending in PACKED_ENDINGS:
        name = name.removesuffix(ending)
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    return name.endswith((*TEXT_ENDINGS, LINES_ENDING)) and not hidden and file.is_file()


def _size(count: int) -> str:
    return size_text(count) if count >= 100_000 else f"{max(1, round(count / 1000))}\u00a0kB"
