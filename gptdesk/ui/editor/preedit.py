"""Indices of a paragraph's layout while an input method composes in it.

Composed text is part of the layout and not yet of the document, so the two count differently.
"""

from __future__ import annotations

from PySide6.QtGui import QTextLayout

from gptdesk.ui.editor.raw_text import utf16_length


def with_preedit(layout: QTextLayout, index: int) -> int:
    """Turn a paragraph's index into its layout's, where composed text takes room."""
    if layout.preeditAreaText() and index >= layout.preeditAreaPosition():
        return index + utf16_length(layout.preeditAreaText())
    return index


def without_preedit(layout: QTextLayout, index: int) -> int:
    """Turn an index of the layout into the paragraph's; composed text counts as its place."""
    start, length = layout.preeditAreaPosition(), utf16_length(layout.preeditAreaText())
    return index if index <= start or not length else max(start, index - length)
