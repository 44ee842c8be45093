"""What an empty document shows: a first word and the three keys that matter."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QKeySequence, QPainter, QPalette


def placeholder_lines() -> list[tuple[str, str]]:
    """Pairs of a key and what it does; the first pair has no key."""
    translate = QCoreApplication.translate
    generate = QKeySequence("Ctrl+Return").toString(QKeySequence.SequenceFormat.NativeText)
    return [
        ("", translate("Placeholder", "Write here, or paste a text.")),
        (generate, translate("Placeholder", "goes on where the caret stands")),
        ("Tab", translate("Placeholder", "accepts the tinted text")),
        ("Esc", translate("Placeholder", "stops; once more, discards it")),
    ]


def draw_placeholder(
    painter: QPainter, origin: QPointF, width: float, font: QFont, palette: QPalette
) -> None:
    """Paint the lines in muted ink, keys in a column of their own, from `origin` down."""
    lines = placeholder_lines()
    painter.setFont(font)
    painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
    metrics = QFontMetricsF(font)
    pitch = metrics.height() * 1.5
    indent = max(metrics.horizontalAdvance(key) for key, _ in lines) + 2 * metrics.height()
    flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
    y = origin.y()
    for key, words in lines:
        x = origin.x() + (indent if key else 0.0)
        painter.drawText(QRectF(origin.x(), y, indent, pitch), flags, key)
        painter.drawText(QRectF(x, y, width - (x - origin.x()), pitch), flags, words)
        y += pitch if key else pitch + 12
