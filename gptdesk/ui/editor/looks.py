"""How Markdown marks and provisional text look, as formats of a paragraph's layout."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextFormat, QTextLayout

from gptdesk.ui.editor.markdown import marks
from gptdesk.ui.editor.preedit import with_preedit
from gptdesk.ui.editor.raw_text import utf16_index
from gptdesk.ui.theme.colors import Colors

HEADING_SCALE = (1.52, 1.3, 1.15, 1.05, 1.0, 1.0)


def mark_formats(font: QFont, colors: Colors) -> dict[str, QTextCharFormat]:
    """One character format for each kind of `markdown.Mark`."""
    formats = {kind: QTextCharFormat() for kind in ("muted", "strong", "emphasis", "code", "quote")}
    formats["muted"].setForeground(QColor(colors.muted))
    formats["muted"].setFontWeight(QFont.Weight.Normal)
    formats["strong"].setFontWeight(QFont.Weight.Bold)
    formats["emphasis"].setFontItalic(True)
    formats["code"].setFontFamilies(["Noto Sans Mono", "Menlo", "Consolas", "monospace"])
    formats["code"].setProperty(QTextFormat.Property.FontPixelSize, round(font.pixelSize() * 0.9))
    formats["quote"].setFontItalic(True)
    for level, scale in enumerate(HEADING_SCALE, start=1):
        heading = formats[f"heading{level}"] = QTextCharFormat()
        heading.setFontWeight(QFont.Weight.Bold)
        heading.setProperty(QTextFormat.Property.FontPixelSize, round(font.pixelSize() * scale))
    return formats


def tint_format(colors: Colors) -> QTextCharFormat:
    """How provisional text looks: accent on soft."""
    tint = QTextCharFormat()
    tint.setForeground(QColor(colors.accent))
    tint.setBackground(QColor(colors.soft))
    return tint


def mark_ranges(
    layout: QTextLayout, text: str, formats: Mapping[str, QTextCharFormat]
) -> list[QTextLayout.FormatRange]:
    """The formats of a paragraph's Markdown marks, in the layout's indices."""
    ranges = []
    for mark in marks(text):
        start = with_preedit(layout, utf16_index(text, mark.start))
        end = with_preedit(layout, utf16_index(text, mark.start + mark.length))
        ranges.append(format_range(start, end - start, formats[mark.kind]))
    return ranges


def format_range(start: int, length: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    """One stretch of a layout and how it looks."""
    found = QTextLayout.FormatRange()
    found.start, found.length, found.format = start, length, look
    return found
