"""Every question the documents ask a person, in one place that a test can answer instead."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


class Answer(Enum):
    """What a person decided."""

    SAVE = "save"
    DISCARD = "discard"
    OVERWRITE = "overwrite"
    RELOAD = "reload"
    UTF8 = "utf8"
    CANCEL = "cancel"


class Questions(QObject):
    """Asks through dialogs; override the methods to answer without one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent

    def open_paths(self, folder: Path) -> list[Path]:
        """Which files to open; none where the person thought better of it."""
        names, _ = QFileDialog.getOpenFileNames(
            self._window, self.tr("Open"), str(folder), self._filters()
        )
        return [Path(name) for name in names]

    def save_path(self, suggestion: Path) -> Path | None:
        """Where to save; None where the person thought better of it."""
        name, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save As"), str(suggestion), self._filters()
        )
        return Path(name) if name else None

    def save_changes(self, title: str) -> Answer:
        """A modified document is about to close: SAVE, DISCARD or CANCEL."""
        box = self._box(
            "documents.question.save",
            self.tr("Save the changes to “{0}”?").format(title),
            self.tr("What is not saved is lost when the document closes."),
        )
        buttons = {
            box.addButton(self.tr("Save"), QMessageBox.ButtonRole.AcceptRole): Answer.SAVE,
            box.addButton(
                self.tr("Don’t Save"), QMessageBox.ButtonRole.DestructiveRole
            ): Answer.DISCARD,
        }
        return self._ask(box, buttons)

    def changed_on_disk(self, title: str) -> Answer:
        """Another program changed a document's file: OVERWRITE, RELOAD or CANCEL."""
        box = self._box(
            "documents.question.changed",
            self.tr("“{0}” was changed by another program.").format(title),
            self.tr("Load the file again, or keep the text in this window. Ctrl+Z brings it back."),
        )
        buttons = {
            box.addButton(self.tr("Load Again"), QMessageBox.ButtonRole.AcceptRole): Answer.RELOAD,
            box.addButton(
                self.tr("Keep Mine"), QMessageBox.ButtonRole.DestructiveRole
            ): Answer.OVERWRITE,
        }
        return self._ask(box, buttons)

    def encoding_lacks(self, title: str, encoding: str) -> Answer:
        """The old encoding cannot hold the text: UTF8 or CANCEL."""
        box = self._box(
            "documents.question.encoding",
            self.tr("“{0}” no longer fits its old encoding, {1}.").format(title, encoding),
            self.tr("Save it as UTF-8, which holds every character?"),
        )
        save = box.addButton(self.tr("Save as UTF-8"), QMessageBox.ButtonRole.AcceptRole)
        return self._ask(box, {save: Answer.UTF8})

    def _box(self, name: str, text: str, more: str) -> QMessageBox:
        box = QMessageBox(QMessageBox.Icon.Question, "gptdesk", text, parent=self._window)
        box.setObjectName(name)
        box.setInformativeText(more)
        return box

    def _ask(self, box: QMessageBox, buttons: dict) -> Answer:
        cancel = box.addButton(self.tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        box.setEscapeButton(cancel)
        box.setDefaultButton(next(iter(buttons)))
        box.exec()
        clicked = box.clickedButton()
        box.deleteLater()
        return next(
            (answer for button, answer in buttons.items() if button is clicked), Answer.CANCEL
        )

    def _filters(self) -> str:
        return ";;".join(
            [
                self.tr("Text files") + " (*.txt *.md *.markdown *.text *.rst *.tex *.fountain)",
                self.tr("All files") + " (*)",
            ]
        )
