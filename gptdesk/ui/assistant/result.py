"""What a summary, a translation or a rewriting came to, and where it may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import shiboken6
from PySide6.QtGui import QTextCursor

from gptdesk.text.differences import Change
from gptdesk.ui.editor.text_edit import TextEdit


@dataclass
class Source:
    """The text a run starts from.

    Attributes:
        text: the text itself.
        editor: where it stands; None for pasted text.
        selection: its place there; None for a whole document. Qt keeps it right through edits.
    """

    text: str
    editor: TextEdit | None = None
    selection: QTextCursor | None = None

    @property
    def replaceable(self) -> bool:
        """Whether the source still stands somewhere."""
        return self.editor is not None and shiboken6.isValid(self.editor)

    def replace_by(self, text: str) -> None:
        """Put `text` in its place, as one step of undo."""
        if self.editor is None or not self.replaceable:
            return
        if self.selection is None:
            self.editor.replace_text(text)
            return
        self.editor.setTextCursor(self.selection)
        self.editor.replace_selection(text)


@dataclass
class Result:
    """The state of the card in one mode.

    Attributes:
        text: what has come.
        source: what it came from; None before the first run.
        changes: where the text differs from the source, once it is rewritten.
    """

    text: str = ""
    source: Source | None = None
    changes: Sequence[Change] = ()
