"""Gets a document to its file and back, with the questions that may come up on the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from gptdesk.errors import DocumentError
from gptdesk.text.document import DocumentChangedError, EncodingLossError, as_utf8
from gptdesk.ui.documents.questions import Answer, Questions
from gptdesk.ui.documents.view import DocumentView


class Saver(QObject):
    """Saves and reloads documents; errors and facts go out as signals."""

    problem = Signal(object)
    notice = Signal(str)

    def save(
        self, view: DocumentView, path: Path, questions: Questions, *, force: bool = False
    ) -> bool:
        """Write a document to a file; tell whether it was.

        Args:
            force: overwrite what another program wrote there meanwhile.
        """
        try:
            view.save(path, force=force)
        except DocumentChangedError:
            return self._settle_change(view, path, questions)
        except EncodingLossError:
            if questions.encoding_lacks(view.title, view.source.encoding) != Answer.UTF8:
                return False
            view.source = as_utf8(view.source)
            return self.save(view, path, questions, force=force)
        except DocumentError as error:
            self.problem.emit(error)
            return False
        return True

    def check(self, view: DocumentView, questions: Questions) -> None:
        """See whether another program changed a document's file; load it again where no text is lost."""
        self.note_loss(view)
        if not view.differs_on_disk():
            return
        answer = questions.changed_on_disk(view.title) if view.modified else Answer.RELOAD
        if answer == Answer.RELOAD:
            self._reload(view)
        elif answer == Answer.OVERWRITE:
            # The text in the window wins at the next save; no second question for this change.
            view.source = replace(view.source, digest="")

    def note_loss(self, view: DocumentView) -> None:
        """Count a document as unsaved once its file is gone: this is the only copy."""
        if view.lost_its_file():
            view.editor.document().setModified(True)
            self.notice.emit(self.tr("{0} is no longer on the disk.").format(view.title))

    def _settle_change(self, view: DocumentView, path: Path, questions: Questions) -> bool:
        answer = questions.changed_on_disk(view.title)
        if answer == Answer.OVERWRITE:
            return self.save(view, path, questions, force=True)
        if answer == Answer.RELOAD:
            self._reload(view)
        return False

    def _reload(self, view: DocumentView) -> None:
        try:
            view.reload()
        except DocumentError as error:
            self.problem.emit(error)
        else:
            self.notice.emit(self.tr("{0} was loaded again.").format(view.title))
