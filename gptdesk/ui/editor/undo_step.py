"""Inserts text so that one undo takes back exactly that text, whatever was typed before or after."""

from __future__ import annotations

from PySide6.QtGui import QTextCursor


def insert_as_one_step(cursor: QTextCursor, text: str) -> None:
    """Put `text`, in the form for documents, in place of the cursor's selection.

    Qt merges insertions that touch each other into one step of undo. The edit block keeps this one
    apart from what was typed before it; a removal as the block's last part keeps apart what is
    typed after it.
    """
    cursor.beginEditBlock()
    cursor.insertText(text + " ")
    cursor.deletePreviousChar()
    cursor.endEditBlock()
