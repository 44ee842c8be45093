"""The open documents as tabs: new, open, save, close, and nothing lost on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from gptdesk import paths
from gptdesk.errors import DocumentError
from gptdesk.text.document import DocumentChangedError, EncodingLossError, as_utf8
from gptdesk.text.journal import JournalEntry
from gptdesk.ui.documents.journal import JournalKeeper, restore_entry
from gptdesk.ui.documents.positions import Positions
from gptdesk.ui.documents.questions import Answer, Questions
from gptdesk.ui.documents.view import DocumentView
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
        self._untitled = 0
        self._positions = Positions()
        self._journal = JournalKeeper(paths.journal_dir(), self)
        self._journal.problem.connect(self.problem)
        self._bar = self._make_bar()
        self._stack = QStackedWidget(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(self._stack, 1)
        self.setAcceptDrops(True)
        QApplication.instance().applicationStateChanged.connect(self._on_application_state)
        self.new()

    def _make_bar(self) -> QTabBar:
        bar = QTabBar(self)
        bar.setObjectName("documents.tabs")
        bar.setAccessibleName(self.tr("Documents"))
        bar.setDrawBase(False)
        bar.setExpanding(False)
        bar.setMovable(True)
        bar.setElideMode(Qt.TextElideMode.ElideMiddle)
        bar.setUsesScrollButtons(True)
        bar.currentChanged.connect(self._on_current)
        bar.tabMoved.connect(self._on_moved)
        return bar

    # What is open

    @property
    def current(self) -> DocumentView:
        """The document in front."""
        return self._stack.currentWidget()

    @property
    def editor(self):
        """The editor in front."""
        return self.current.editor

    def views(self) -> list[DocumentView]:
        """All documents, from left to right."""
        return [self._stack.widget(index) for index in range(self._stack.count())]

    def open_paths(self) -> list[str]:
        """The files that are open, from left to right; documents without a file are not among them."""
        return [str(view.path) for view in self.views() if view.path is not None]

    def activate(self, view: DocumentView) -> None:
        """Bring a document to the front."""
        self._bar.setCurrentIndex(self._stack.indexOf(view))
        view.editor.setFocus()

    def select_next(self, step: int = 1) -> None:
        """Bring the next document to the front (the one before with -1), around the ends."""
        self._bar.setCurrentIndex((self._bar.currentIndex() + step) % self._bar.count())

    # New and open

    def new(self) -> DocumentView:
        """Open an empty document in front."""
        self._untitled += 1
        return self._add(DocumentView(self._untitled, self))

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
        fresh = self.current if self.current.pristine else DocumentView(0, self)
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
        restored = [self._restore(entry) for entry in adopted.entries]
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
            self._untitled += path is None
            view = self._add(DocumentView(self._untitled, self))
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

    def _save_to(self, view: DocumentView, path: Path, *, force: bool = False) -> bool:
        try:
            view.save(path, force=force)
        except DocumentChangedError:
            return self._settle_change(view, path)
        except EncodingLossError:
            if self.questions.encoding_lacks(view.title, view.source.encoding) != Answer.UTF8:
                return False
            view.source = as_utf8(view.source)
            return self._save_to(view, path, force=force)
        except DocumentError as error:
            self.problem.emit(error)
            return False
        self._positions.put(path, view.cursor_position)
        self.current_changed.emit()
        return True

    def _settle_change(self, view: DocumentView, path: Path) -> bool:
        answer = self.questions.changed_on_disk(view.title)
        if answer == Answer.OVERWRITE:
            return self._save_to(view, path, force=True)
        if answer == Answer.RELOAD:
            self._reload(view)
        return False

    # Close

    def close_index(self, index: int) -> bool:
        """Close the document of a tab; a modified one asks first; tell whether it closed."""
        view = self._stack.widget(index)
        if not self._may_close(view):
            return False
        self._remember(view)
        self._journal.forget(view)
        self._remove(view)
        if not self._stack.count():
            self.new()
        return True

    def close_current(self) -> bool:
        """Close the document in front; tell whether it closed."""
        return self.close_index(self._bar.currentIndex())

    def prepare_quit(self) -> bool:
        """Ask about every modified document; tell whether the window may close."""
        for view in self.views():
            if view.modified:
                self.activate(view)
            if not self._may_close(view):
                return False
        for view in self.views():
            self._remember(view)
        return True

    def shut_down(self, *, keep_unsaved: bool = False) -> None:
        """Stop journalling; call it once, when the window goes.

        Args:
            keep_unsaved: leave unsaved text to the next start (the session ends without having
                been able to ask); otherwise `prepare_quit` settled everything.
        """
        self._journal.close(keep=keep_unsaved)

    def _may_close(self, view: DocumentView) -> bool:
        if not view.modified:
            return True
        answer = self.questions.save_changes(view.title)
        return answer == Answer.DISCARD or (answer == Answer.SAVE and self.save(view))

    def _remember(self, view: DocumentView) -> None:
        if view.path is not None:
            self._positions.put(view.path, view.cursor_position)

    # Changes by other programs

    def check_files(self) -> None:
        """Look whether other programs changed open files; unmodified documents load them again."""
        for view in self.views():
            if not view.differs_on_disk():
                continue
            if not view.modified:
                self._reload(view)
                continue
            answer = self.questions.changed_on_disk(view.title)
            if answer == Answer.RELOAD:
                self._reload(view)
            elif answer == Answer.OVERWRITE:
                # The text in the window wins at the next save; no second question for this change.
                view.source = replace(view.source, digest="")

    def _reload(self, view: DocumentView) -> None:
        try:
            view.reload()
        except DocumentError as error:
            self.problem.emit(error)
        else:
            self.notice.emit(self.tr("{0} was loaded again.").format(view.title))

    def _on_application_state(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive and self.isVisible():
            self.check_files()

    # Looks

    def set_colors(self, colors: Colors) -> None:
        """Take over the colours of a theme."""
        self._colors = colors
        self._bar.setStyleSheet(
            f"QToolButton {{ color: {colors.muted}; background: transparent; border: none; }}"
            f"QToolButton:hover {{ color: {colors.ink}; }}"
        )
        for view in self.views():
            view.set_colors(colors)

    def set_typography(self, family: str, size: int, characters: int) -> None:
        """Set font and column of every editor, as `TextEdit.set_typography`."""
        self._typography = family, size, characters
        for view in self.views():
            view.editor.set_typography(family, size, characters)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: the language of the window changed."""
        if event.type() == QEvent.Type.LanguageChange:
            self._bar.setAccessibleName(self.tr("Documents"))
            self._retitle()
        super().changeEvent(event)

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

    def _add(self, view: DocumentView) -> DocumentView:
        if self._colors is not None:
            view.set_colors(self._colors)
        if self._typography is not None:
            view.editor.set_typography(*self._typography)
        view.title_changed.connect(self._retitle)
        view.changed.connect(self._on_changed)
        self._stack.addWidget(view)
        index = self._bar.addTab(view.title)
        self._bar.setTabButton(index, QTabBar.ButtonPosition.RightSide, self._make_close())
        self._retitle()
        self._bar.setCurrentIndex(self._bar.count() - 1)
        self._on_current(self._bar.currentIndex())
        return view

    def _make_close(self) -> QToolButton:
        button = QToolButton(self._bar)
        button.setObjectName("documents.close")
        button.setText("×")
        button.setAutoRaise(True)
        # Ctrl+W is the keyboard's way; a stop of Tab at each cross would be in the way.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAccessibleName(self.tr("Close"))
        button.setToolTip(self.tr("Close"))
        button.clicked.connect(self._on_close_clicked)
        return button

    def _on_close_clicked(self) -> None:
        button = self.sender()
        side = QTabBar.ButtonPosition.RightSide
        for index in range(self._bar.count()):
            if self._bar.tabButton(index, side) is button:
                self.close_index(index)
                return

    def _remove(self, view: DocumentView) -> None:
        index = self._stack.indexOf(view)
        self._stack.removeWidget(view)
        self._bar.removeTab(index)
        view.deleteLater()
        self._on_current(self._bar.currentIndex())

    def _retitle(self) -> None:
        for index, view in enumerate(self.views()):
            mark = " •" if view.modified else ""
            self._bar.setTabText(index, view.title.replace("&", "&&") + mark)
            self._bar.setTabToolTip(index, str(view.path or ""))

    def _on_changed(self) -> None:
        view = self.sender()
        if isinstance(view, DocumentView):
            self._journal.note(view)
        self.text_changed.emit()

    def _on_current(self, index: int) -> None:
        if 0 <= index < self._stack.count():
            self._stack.setCurrentIndex(index)
            self.current.editor.setFocus()
            self.current_changed.emit()

    def _on_moved(self, source: int, target: int) -> None:
        view = self._stack.widget(source)
        self._stack.removeWidget(view)
        self._stack.insertWidget(target, view)
        self._stack.setCurrentIndex(self._bar.currentIndex())


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
