"""One open document: its editor, its find bar, and what is known of its file."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gptdesk.text.document import Document, digest_of, load_document, save_document
from gptdesk.ui.editor.find_bar import FindBar
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.theme.colors import Colors


class DocumentView(QWidget):
    """A document in a tab.

    Args:
        number: tells untitled documents apart.
    """

    title_changed = Signal()
    changed = Signal()
    """The text, the provisional text or the file's name changed: the journal is behind."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.key = uuid.uuid4().hex
        self.path: Path | None = None
        self.source = Document()
        self._stamp: tuple[int, int] | None = None  # time and size of the file, as last read
        self.number = number
        self.editor = TextEdit(self)
        self.find_bar = FindBar(self.editor, self)
        self.setFocusProxy(self.editor)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.editor, 1)
        column.addWidget(self.find_bar)
        self.editor.textChanged.connect(self.changed)
        self.editor.provisional_changed.connect(self.changed)
        self.editor.document().modificationChanged.connect(self._on_modified)

    @property
    def title(self) -> str:
        """The file's name, or a name for a document without one."""
        if self.path is not None:
            return self.path.name
        name = self.tr("Untitled")
        return name if self.number == 1 else self.tr("Untitled {0}").format(self.number)

    @property
    def modified(self) -> bool:
        """Whether the text differs from its file's."""
        return self.editor.document().isModified()

    @property
    def pristine(self) -> bool:
        """Whether it is empty, untitled and untouched: opening a file may take its place."""
        return self.path is None and not self.modified and not self.editor.provisional_text

    @property
    def cursor_position(self) -> int:
        """Position of the caret in the document."""
        return self.editor.textCursor().position()

    def set_colors(self, colors: Colors) -> None:
        """Take over the colours of a theme."""
        self.editor.set_colors(colors)
        self.find_bar.set_colors(colors)

    def load(self, path: Path) -> None:
        """Show a file.

        Raises:
            DocumentError: it cannot be read; nothing changed.
        """
        source = load_document(path)
        self.path, self.source = path, source
        self.editor.load_text(source.text)
        self.title_changed.emit()

    def reload(self) -> None:
        """Show what the file holds now, as one step of undo.

        Raises:
            DocumentError: it cannot be read; nothing changed.
        """
        if self.path is None:
            return
        source = load_document(self.path)
        position = self.cursor_position
        self.source = source
        self.editor.replace_text(source.text)
        self.place_cursor(position)
        self.editor.document().setModified(False)

    def save(self, path: Path, *, force: bool = False) -> None:
        """Write the accepted text to a file, which is this document's from now on.

        Args:
            force: overwrite what another program wrote there meanwhile.

        Raises:
            DocumentError: it cannot be written; the document stays modified, the file untouched.
        """
        same = path == self.path
        expected = self.source.digest if same and not force else None
        document = replace(self.source, text=self.editor.plain_text())
        self.source = save_document(path, document, expected)
        self.path = path
        self.editor.document().setModified(False)
        self.title_changed.emit()
        self.changed.emit()

    def differs_on_disk(self) -> bool:
        """Tell whether another program changed the file since this was last asked.

        A file that is gone does not count: the text is still here.
        """
        if self.path is None or not self.source.digest or _stamp(self.path) == self._stamp:
            return False
        self._stamp = _stamp(self.path)
        return digest_of(self.path) not in {"", self.source.digest}

    def lost_its_file(self) -> bool:
        """Tell whether the file is gone while the text here counts as saved."""
        return self.path is not None and not self.modified and not self.path.exists()

    def restore(
        self, path: Path | None, source: Document, text: str, *, modified: bool = True
    ) -> None:
        """Show text that was never saved, from the journal."""
        self.path, self.source = path, source
        self.editor.load_text(text)
        self.editor.document().setModified(modified)
        self.title_changed.emit()

    def place_cursor(self, position: int) -> None:
        """Put the caret somewhere, at the end where the text is shorter, and show it."""
        cursor = QTextCursor(self.editor.document())
        last = self.editor.document().characterCount() - 1
        cursor.setPosition(max(0, min(position, last)))
        self.editor.setTextCursor(cursor)
        self.editor.ensureCursorVisible()

    def _on_modified(self, _modified: bool) -> None:
        self.title_changed.emit()


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
