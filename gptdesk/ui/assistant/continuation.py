"""Continue: text streams in at the cursor, provisional until the writer accepts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, Signal

from gptdesk.ui.editor.text_edit import TextEdit


@dataclass
class Versions:
    """The versions of one continuation; `index` is the one in sight."""

    texts: list[str] = field(default_factory=list)
    index: int = 0


class Continuations(QObject):
    """What is provisional in each document, and which run writes it.

    A run belongs to the editor it began in: the writer may look at another document, or close this
    one, and text never lands in the wrong place.
    """

    changed = Signal()
    dropped = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._versions: dict[TextEdit, Versions] = {}
        self._writing: TextEdit | None = None

    def watch(self, editor: TextEdit) -> bool:
        """Follow what the writer does with provisional text in an editor; True for a new one."""
        if editor in self._versions:
            return False
        for gone in [one for one in self._versions if not shiboken6.isValid(one)]:
            del self._versions[gone]
        self._versions[editor] = Versions()
        editor.provisional_accepted.connect(self._settled)
        editor.provisional_discarded.connect(self._settled)
        editor.provisional_changed.connect(self.changed)  # also when the journal brings some back
        return True

    def begin(self, editor: TextEdit, *, again: bool) -> str:
        """Prepare an editor for a run; returns the text that is to be continued.

        Args:
            editor: where the text will appear.
            again: another version of what is provisional there; otherwise that is accepted first
                and the text goes on from there.
        """
        if not again:
            editor.accept_provisional()
            self._versions[editor] = Versions()
        versions = self._versions[editor]
        if editor.has_provisional and not versions.texts:
            versions.texts = [editor.provisional_text]  # the journal brought it back
        versions.texts.append("")
        versions.index = len(versions.texts) - 1
        editor.begin_provisional()
        editor.set_generating(True)
        self._writing = editor
        self.changed.emit()
        return editor.text_before_cursor()

    def append(self, text: str) -> None:
        """Text of the run; dropped when its document is gone or the writer has settled it."""
        editor = self._writing
        if editor is None:
            return
        if not shiboken6.isValid(editor):
            self._forget(editor)
            self.dropped.emit()
            return
        self._versions[editor].texts[-1] += text
        editor.append_provisional(text)

    def end(self) -> bool:
        """The run is over; False when it brought nothing. An earlier version then comes back."""
        editor, self._writing = self._writing, None
        if editor is None:
            return True
        if not shiboken6.isValid(editor):
            self._forget(editor)
            return True
        editor.set_generating(False)
        versions = self._versions[editor]
        brought = bool(versions.texts and versions.texts[-1])
        if not brought:
            versions.texts = versions.texts[:-1]
            versions.index = max(0, len(versions.texts) - 1)
            if versions.texts:
                editor.set_provisional(versions.texts[-1])
            else:
                editor.discard_provisional()
        self.changed.emit()
        return brought

    def position(self, editor: TextEdit) -> tuple[int, int]:
        """Index of the version in sight, and how many there are; (0, 0) for none."""
        versions = self._versions.get(editor, Versions())
        if not editor.has_provisional and self._writing is not editor:
            return (0, 0)
        return (versions.index, max(1, len(versions.texts)))

    def show(self, editor: TextEdit, step: int) -> None:
        """Show the version before or after the one in sight."""
        versions = self._versions[editor]
        if not 0 <= versions.index + step < len(versions.texts) or self._writing is editor:
            return
        versions.index += step
        editor.set_provisional(versions.texts[versions.index])
        self.changed.emit()

    @property
    def writing(self) -> TextEdit | None:
        """The editor a run writes in."""
        return self._writing

    def _settled(self, *_: Any) -> None:
        editor = self.sender()
        if not isinstance(editor, TextEdit):
            return
        self._versions[editor] = Versions()
        if self._writing is editor:
            self._writing = None
            editor.set_generating(False)
            self.dropped.emit()
        self.changed.emit()

    def _forget(self, editor: TextEdit) -> None:
        self._versions.pop(editor, None)
        self._writing = None
