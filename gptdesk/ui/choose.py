"""The system's file dialogs, each behind one function, so that tests need not click through them."""

from __future__ import annotations

from PySide6.QtWidgets import QFileDialog, QWidget


def folder(parent: QWidget, title: str, start: str) -> str:
    """Ask for a folder; "" when the person thinks better of it."""
    return QFileDialog.getExistingDirectory(parent, title, start)
