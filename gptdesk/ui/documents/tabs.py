"""The open documents as tabs: new, open, save, close, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gptdesk import paths
from gptdesk.errors import DocumentError
from gptdesk.text.journal import JournalEntry
from gptdesk.ui.documents.journal import JournalKeeper, is_saved, restore_entry
from gptdesk.ui.documents.positions import Positions
from gptdesk.ui.documents.questions import Answer, Questions
from gptdesk.ui.documents.saving import Saver
from gptdesk.ui.documents.tab_strip import TabStrip
from gptdesk.ui.documents.view import DocumentView
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.theme.colors import Colors


class DocumentTabs(QWidget):
    """All open documents; there is always at least one.

    Errors go out through `problem`, facts worth a line through `notice`.
    """

    current_changed = Signal()
    text_changed = Signal()
    problem = Signal(object)
    notice = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("documents")
        self.questions = Questions(self)
        self.last_folder = Path.home()
        self._colors: Colors | None = None
        self._typography: tuple[str, int, int] | None = None
        self._positions = Positions()
        self._journal = JournalKeeper(paths.journal_dir(), self)
        self._journal.problem.connect(self.problem)
        self._saver = Saver(self)
        self._saver.problem.connect(self.problem)
        self._saver.notice.connect(self.notice)
        self._views: list[DocumentView] = []
        self._bar = TabStrip(self)
        self._bar.currentChanged.connect(self._on_current)
        self._bar.tabMoved.connect(self._on_moved)
        self._bar.close_wanted.connect(self.close_index)
        self._stack = QStackedWidget(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(self._stack, 1)
        self.setAcceptDrops(True)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.applicationStateChanged.connect(self._on_application_state)
        self.new()

    # What is open

    @property
    def current(self) -> DocumentView:
        """The document in front."""
        return self._views[max(0, self._bar.currentIndex())]

    @property
    def editor(self) -> TextEdit:
        """The editor in front."""
        return self.current.editor

    def views(self) -> list[DocumentView]:
        """All documents, from left to right."""
        return list(self._views)

    def open_paths(self) -> list[str]:
        """The files that are open, from left to right; documents without a file are not among them."""
        return [str(view.path) for view in self.views() if view.path is not None]

    def activate(self, view: DocumentView) -> None:
        """Bring a document to the front."""
        self._bar.setCurrentIndex(self._views.index(view))
        view.editor.setFocus()

    def select_next(self, step: int = 1) -> None:
        """Bring the next document to the front (the one before with -1), around the ends."""
        self._bar.setCurrentIndex((self._bar.currentIndex() + step) % self._bar.count())

    # New and open

    def new(self) -> DocumentView:
        """Open an empty document in front."""
        return self._add(self._new_view())

    def open_dialog(self) -> None:
        """Ask for files and open them."""
        for path in self.questions.open_paths(self.last_folder):
            self.open(path)

    def open(self, path: str | Path) -> DocumentView | None:
        """Open a file in front, or bring it there when it is open; None and `problem` if it cannot."""
        path = Path(path).expanduser().absolute()
        for view in self.views():
            if view.path is not None and _same_file(view.path, path):
                self.activate(view)
                return view
        fresh = self.current if self.current.pristine else self._new_view()
        try:
            fresh.load(path)
        except DocumentError as error:
            if fresh is not self.current:
                fresh.deleteLater()
            self.problem.emit(error)
            return None
        if fresh is not self.current:
            self._add(fresh)
        fresh.place_cursor(self._positions.get(path))
        self.last_folder = path.parent
        self.current_changed.emit()
        return fresh

    def restore_session(self, files: Iterable[str | Path] = ()) -> None:
        """Open the files of the last session, and what the journal kept of sessions that died.

        Files that are gone are left out with a notice. Call it once, after connecting the signals.
        """
        for file in files:
            if Path(file).exists():
                self.open(file)
            else:
                self.notice.emit(self.tr("{0} is no longer there.").format(Path(file).name))
        adopted = self._journal.adopt()
        restored = []
        for entry in adopted.entries:
            if is_saved(entry):
                self._journal.forget(entry.key)
            else:
                restored.append(self._restore(entry))
        if restored:
            names = ", ".join(view.title for view in restored)
            self.notice.emit(self.tr("Brought back what was not saved: {0}").format(names))
            self.activate(restored[-1])
        if adopted.damaged:
            self.problem.emit(_damaged(adopted.damaged))

    def _restore(self, entry: JournalEntry) -> DocumentView:
        """Show an entry in the tab of its file, in an untouched tab, or in one of its own."""
        path = Path(entry.path) if entry.path else None
        same = [v for v in self.views() if path and v.path and not v.modified and v.path == path]
        if same:
            view = same[0]
        elif self.current.pristine:
            view = self.current
        else:
            view = self.new()
        restore_entry(view, entry)
        self._retitle()
        return view

    # Save

    def save(self, view: DocumentView | None = None) -> bool:
        """Save a document (the one in front) to its file, or ask where; tell whether it was."""
        view = view or self.current
        return self.save_as(view) if view.path is None else self._save_to(view, view.path)

    def save_as(self, view: DocumentView | None = None) -> bool:
        """Ask where to save a document (the one in front) and do so; tell whether it was."""
        view = view or self.current
        suggestion = view.path or self.last_folder / f"{view.title}.md"
        path = self.questions.save_path(suggestion)
        if path is None:
            return False
        self.last_folder = path.parent
        return self._save_to(view, path.expanduser().absolute())

    def save_all(self) -> bool:
        """Save every modified document; tell whether all were."""
        saved = [self.save(view) for view in self.views() if view.modified]
        return all(saved)

    def _save_to(self, view: DocumentView, path: Path) -> bool:
        saved = self._saver.save(view, path, self.questions)
        if saved:
            self._positions.put(path, view.cursor_position)
            self.current_changed.emit()
        return saved

    # Close

    def close_index(self, index: int) -> bool:
        """Close the document of a tab; a modified one asks first; tell whether it closed."""
        view = self._views[index]
        if self._ask_to_close(view) == Answer.CANCEL:
            return False
        self._remember(view)
        self._journal.forget(view.key)
        if len(self._views) == 1:
            self._add(self._new_view(1))
        self._remove(view)
        return True

    def close_current(self) -> bool:
        """Close the document in front; tell whether it closed."""
        return self.close_index(self._bar.currentIndex())

    def prepare_quit(self) -> bool:
        """Ask about every modified document; tell whether the window may close."""
        given_up = []
        for view in self.views():
            if view.modified:
                self.activate(view)
            answer = self._ask_to_close(view)
            if answer == Answer.CANCEL:
                return False
            if answer == Answer.DISCARD:
                given_up.append(view)
        for view in self.views():
            self._remember(view)
        for view in given_up:
            self._journal.forget(view.key)
        return True

    def shut_down(self) -> None:
        """Stop journalling; call it once, when the window goes.

        What `prepare_quit` did not settle waits in the journal for the next start: everything
        unsaved where it was not asked, provisional text in any case.
        """
        self._journal.close()

    def _ask_to_close(self, view: DocumentView) -> Answer:
        """SAVE: all of it is in its file; DISCARD: the person gave it up; CANCEL: it stays."""
        self._saver.note_loss(view)
        if not view.modified:
            return Answer.SAVE
        if view.path is None and not view.editor.plain_text().strip():
            return Answer.DISCARD  # an untitled document without a word: nothing to ask about
        answer = self.questions.save_changes(view.title)
        if answer == Answer.SAVE and not self.save(view):
            return Answer.CANCEL
        return answer

    def _remember(self, view: DocumentView) -> None:
        if view.path is not None:
            self._positions.put(view.path, view.cursor_position)

    # Changes by other programs

    def check_files(self) -> None:
        """Look whether other programs changed open files; unmodified documents load them again."""
        for view in self.views():
            self._saver.check(view, self.questions)

    def _on_application_state(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive and self.isVisible():
            self.check_files()

    # Looks

    def set_colors(self, colors: Colors) -> None:
        """Take over the colours of a theme."""
        self._colors = colors
        self._bar.set_colors(colors)
        for view in self.views():
            view.set_colors(colors)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: an untitled document is called so in another language."""
        if event.type() == QEvent.Type.LanguageChange:
            self._retitle()
            self.current_changed.emit()
        super().changeEvent(event)

    def set_typography(self, family: str, size: int, characters: int) -> None:
        """Set font and column of every editor, as `TextEdit.set_typography`."""
        self._typography = family, size, characters
        for view in self.views():
            view.editor.set_typography(family, size, characters)

    # Dropped files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Qt: files may be dropped."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt: open dropped files."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.open(url.toLocalFile())
        event.acceptProposedAction()

    # Tabs and pages side by side

    def _free_number(self) -> int:
        """The number of the next untitled document."""
        return 1 + max((view.number for view in self._views if view.path is None), default=0)

    def _new_view(self, number: int = 0) -> DocumentView:
        """A document dressed as the others, before it has any text to lay out."""
        view = DocumentView(number or self._free_number(), self)
        if self._colors is not None:
            view.set_colors(self._colors)
        if self._typography is not None:
            view.editor.set_typography(*self._typography)
        return view

    def _add(self, view: DocumentView) -> DocumentView:
        view.title_changed.connect(self._retitle)
        view.changed.connect(self._on_changed)
        self._views.append(view)
        self._stack.addWidget(view)
        self._bar.setCurrentIndex(self._bar.add(view))
        self._retitle()
        return view

    def _remove(self, view: DocumentView) -> None:
        index = self._views.index(view)
        self._views.remove(view)
        self._stack.removeWidget(view)
        self._bar.removeTab(index)
        view.deleteLater()
        self._on_current(self._bar.currentIndex())

    def _retitle(self) -> None:
        self._bar.show_titles(self._views)

    def _on_changed(self) -> None:
        view = self.sender()
        if isinstance(view, DocumentView):
            self._journal.note(view)
        self.text_changed.emit()

    def _on_current(self, index: int) -> None:
        if 0 <= index < len(self._views):
            self._stack.setCurrentWidget(self._views[index])
            self.current.editor.setFocus()
            self.current_changed.emit()

    def _on_moved(self, source: int, target: int) -> None:
        self._views.insert(target, self._views.pop(source))


def _damaged(files: list[Path]) -> DocumentError:
    return DocumentError(
        f"{len(files)} entries of the autosave journal are damaged.",
        f"They are kept in {files[0].parent}; a text editor may still show what they hold.",
        "\n".join(map(str, files)),
    )


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False
