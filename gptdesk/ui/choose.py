"""The system's file dialogs, each behind one function, so that tests need not click through them."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget


def folder(parent: QWidget, title: str, start: str) -> str:
    """Ask for a folder; "" when the person thinks better of it."""
    return QFileDialog.getExistingDirectory(parent, title, start)


def file(parent: QWidget, title: str, start: str, kinds: str) -> str:
    """Ask for a file that is there; `kinds` is a filter of Qt's, such as "Texts (*.txt)"."""
    chosen, _ = QFileDialog.getOpenFileName(parent, title, start, kinds)
    return chosen


def files(parent: QWidget, title: str, start: str, kinds: str) -> list[str]:
    """Ask for any number of files that are there; none when the person thinks better of it."""
    chosen, _ = QFileDialog.getOpenFileNames(parent, title, start, kinds)
    return chosen
