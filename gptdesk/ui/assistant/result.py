"""What a summary, a translation or a rewriting came to, and where it may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shiboken6
from PySide6.QtGui import QTextCursor

from gptdesk.text.differences import Change
from gptdesk.ui.editor.raw_text import clean_paste, to_document, utf16_length
from gptdesk.ui.editor.text_edit import TextEdit


@dataclass
class Source:
    """The text a run starts from.

    Attributes:
        text: the text itself.
        editor: where it stands; None for pasted text.
        selection: its place there, from `growing_range`; None for a whole document.
        written: what was put in its place last.
    """

    text: str
    editor: TextEdit | None = None
    selection: QTextCursor | None = None
    written: str = ""

    @property
    def replaceable(self) -> bool:
        """Whether the source still stands somewhere."""
        return self.editor is not None and shiboken6.isValid(self.editor)

    def replace_by(self, text: str) -> bool:
        """Put `text` in its place, as one step of undo.

        Returns:
            False when somebody has written in it since it was taken: nothing is replaced then.
        """
        if self.editor is None or not self.replaceable:
            return False
        cleaned = clean_paste(text)
        if self.selection is None:
            if self.editor.plain_text() not in (self.text, self.written):
                return False
            self.editor.replace_text(cleaned)
        else:
            # What an earlier Replace wrote may be replaced by the next version of it.
            place = _found(self.text, self.selection) or _found(self.written, self.selection)
            if place is None:
                return False
            self.editor.setTextCursor(place)
            self.editor.replace_selection(cleaned)
        self.written = cleaned
        return True


@dataclass
class Result:
    """The state of the card in one mode.

    Attributes:
        text: what has come.
        source: what it came from; None before the first run.
        changes: where the text differs from the source, once it is rewritten.
        complete: whether the run came to its end; one that was stopped or failed did not.
    """

    text: str = ""
    source: Source | None = None
    changes: Sequence[Change] = ()
    complete: bool = False

    @property
    def may_replace(self) -> bool:
        """Whether it can take the place of its source: half a text must not."""
        return self.complete and self.source is not None and self.source.replaceable


def growing_range(selection: QTextCursor) -> QTextCursor:
    """The same range as a cursor that Qt keeps right through edits and their undoing.

    It takes in what is typed at either end. One that did not would lose characters that are removed
    there and come back by undo.
    """
    place = QTextCursor(selection.document())
    place.setPosition(selection.selectionEnd())
    place.setPosition(selection.selectionStart(), QTextCursor.MoveMode.KeepAnchor)
    place.setKeepPositionOnInsert(True)
    return place


def _found(text: str, within: QTextCursor) -> QTextCursor | None:
    """Where exactly `text` stands within a range; None where it does not, or more than once."""
    raw, wanted = within.selectedText().replace("\u2029", "\n"), to_document(text)
    if not wanted or raw.count(wanted) != 1:
        return None
    start = within.selectionStart() + utf16_length(raw[: raw.index(wanted)])
    place = QTextCursor(within.document())
    place.setPosition(start)
    place.setPosition(start + utf16_length(wanted), QTextCursor.MoveMode.KeepAnchor)
    return place
