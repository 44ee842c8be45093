"""Keeps the journal up to date while the writer types: at most a second behind, never in the way.

The window's thread only takes a copy of the text; making it a file and waiting for the disk is
done by a thread of its own. The pause is a throttle: it starts with the first change and is not
prolonged by later ones, so a person who never stops typing is as safe as one who does.
"""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from gptdesk.errors import DocumentError
from gptdesk.text.document import Document, digest_of, load_document
from gptdesk.text.journal import Adopted, Journal, JournalEntry
from gptdesk.ui.documents.view import DocumentView

PAUSE_MS = 600


class JournalKeeper(QObject):
    """Writes what is unsaved in the documents it is told of into the journal.

    Args:
        root: folder of the journal.
    """

    problem = Signal(object)

    def __init__(self, root: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._dirty: dict[str, DocumentView] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.flush)
        self._writer: _Writer | None = None
        self._journal: Journal | None = None
        self._complained = False
        self._trouble: DocumentError | None = None
        try:
            self._journal = Journal(root)
        except OSError as error:
            self._trouble = _no_journal(error)
        else:
            self._writer = _Writer(self._journal)
            self._writer.failed.connect(self._on_failure)

    def adopt(self) -> Adopted:
        """Entries of sessions that died; empty where there is no journal, with a `problem`."""
        if self._trouble is not None:
            self.problem.emit(self._trouble)
        return self._journal.adopt() if self._journal is not None else Adopted()

    def note(self, view: DocumentView) -> None:
        """A document changed: journal it soon."""
        self._dirty[view.key] = view
        if not self._timer.isActive():
            self._timer.start()

    def forget(self, key: str) -> None:
        """A document is closed for good, or all of it is in its file: its entry goes."""
        self._dirty.pop(key, None)
        if self._writer is not None:
            self._writer.put(key, None)

    def flush(self) -> None:
        """Hand copies of all changed documents to the writing thread now."""
        self._timer.stop()
        views, self._dirty = self._dirty, {}
        for key, view in views.items():
            if self._writer is not None:
                self._writer.put(key, make_entry(view))

    def close(self) -> None:
        """Write what is still unsaved and stop; entries left wait for the next start."""
        self.flush()
        if self._writer is not None and self._journal is not None:
            self._writer.close()
            self._journal.close()
        self._writer = self._journal = None

    def _on_failure(self, error: DocumentError) -> None:
        if not self._complained:  # once: the next key would bring it again
            self._complained = True
            self.problem.emit(error)


def make_entry(view: DocumentView) -> JournalEntry | None:
    """A copy of what is unsaved in a document; None where all of it is in its file."""
    editor, source = view.editor, view.source
    untouched = not view.modified and not editor.provisional_text
    if untouched or (
        view.path is None and editor.document().isEmpty() and not editor.has_provisional
    ):
        return None
    return JournalEntry(
        key=view.key,
        path=str(view.path or ""),
        text=editor.plain_text(),
        provisional=editor.provisional_text,
        provisional_position=editor.provisional_position,
        cursor=view.cursor_position,
        digest=source.digest,
        encoding=source.encoding,
        newline=source.newline,
        bom=source.bom,
        mixed=source.mixed,
        modified=view.modified,
    )


def restore_entry(view: DocumentView, entry: JournalEntry) -> None:
    """Show what an entry kept; the document takes the entry's key, so the entry stays its own."""
    view.key = entry.key
    path = Path(entry.path) if entry.path else None
    changed = path is not None and digest_of(path) != entry.digest
    view.restore(path, _source(entry), entry.text, modified=entry.modified or changed)
    view.place_cursor(entry.cursor)
    if entry.provisional:
        view.editor.restore_provisional(entry.provisional_position, entry.provisional)


def is_saved(entry: JournalEntry) -> bool:
    """Whether all of an entry is in its file: the app died between saving and tidying up."""
    if not entry.path or entry.provisional:
        return False
    try:
        return load_document(entry.path).text == entry.text
    except DocumentError:
        return False


def _source(entry: JournalEntry) -> Document:
    return Document(entry.text, entry.encoding, entry.newline, entry.bom, entry.digest, entry.mixed)


class _Writer(QObject):
    """A thread that writes entries; of several for one document, only the newest."""

    failed = Signal(object)

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self._waiting: dict[str, JournalEntry | None] = {}
        self._ready = threading.Condition()
        self._closing = False
        # A daemon: a crash of the window must not leave the process hanging. `close` joins it.
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, key: str, entry: JournalEntry | None) -> None:
        """Have an entry written, or removed with None."""
        with self._ready:
            self._waiting[key] = entry
            self._ready.notify()

    def close(self) -> None:
        """Write what waits, then end the thread."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._ready:
                while not self._waiting and not self._closing:
                    self._ready.wait()
                if not self._waiting:
                    return
                jobs, self._waiting = self._waiting, {}
            for key, entry in jobs.items():
                self._do(key, entry)

    def _do(self, key: str, entry: JournalEntry | None) -> None:
        try:
            if entry is None:
                self._journal.remove(key)
            else:
                self._journal.write(entry)
        except OSError as error:
            self.failed.emit(_no_journal(error))


def _no_journal(error: OSError) -> DocumentError:
    return DocumentError(
        "Unsaved text cannot be kept safe: the journal cannot be written.",
        "Make room on the disk; until then, save often.",
        str(error),
    )
