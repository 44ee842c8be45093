"""The page to write on: a QTextEdit that holds plain text only, set in one centred column."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFont,
    QPalette,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from gptdesk.ui.editor.metrics import PageMetrics
from gptdesk.ui.editor.page_layout import PageLayout
from gptdesk.ui.editor.raw_text import clean_paste, from_document, to_document
from gptdesk.ui.editor.undo_step import insert_as_one_step
from gptdesk.ui.theme.colors import Colors

FONT_SIZE, MIN_FONT_SIZE, MAX_FONT_SIZE = 17, 9, 60
LINE_CHARACTERS, MIN_LINE, MAX_LINE = 68, 40, 100
SERIFS = ["Noto Serif", "Source Serif 4", "Georgia", "Times New Roman", "serif"]
CJK_SERIFS = ["Noto Serif CJK SC", "Songti SC", "SimSun"]


class PageEdit(QTextEdit):
    """Plain text in, the same plain text out; looks are the layout's and never edits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setCursorWidth(2)
        self._colors: Colors | None = None
        self._families: list[str] = []
        self._size = FONT_SIZE
        self._characters = LINE_CHARACTERS
        self._font = QFont()
        self._page = PageLayout(self.document())
        self.document().setDocumentLayout(self._page)
        self._page.shifted.connect(self._stand_still)
        self.verticalScrollBar().valueChanged.connect(self._note_scroll)
        self._restyle()

    # Looks

    def set_colors(self, colors: Colors) -> None:
        """Take over the colours of a theme."""
        self._colors = colors
        palette = self.palette()
        ink, paper, soft = QColor(colors.ink), QColor(colors.paper), QColor(colors.soft)
        for role, color in (
            (QPalette.ColorRole.Base, paper),
            (QPalette.ColorRole.Text, ink),
            (QPalette.ColorRole.Highlight, soft),
            (QPalette.ColorRole.HighlightedText, ink),
            (QPalette.ColorRole.PlaceholderText, QColor(colors.muted)),
        ):
            palette.setColor(role, color)
        self.setPalette(palette)
        self._restyle()

    def set_typography(
        self, family: str = "", size: int = FONT_SIZE, characters: int = LINE_CHARACTERS
    ) -> None:
        """Choose the font and the column.

        Args:
            family: font family; "" takes the best serif there is.
            size: in pixels; clamped to 9 … 60.
            characters: width of the column in average characters; clamped to 40 … 100.
        """
        self._families = [family] if family else []
        self._size = _clamp(size, MIN_FONT_SIZE, MAX_FONT_SIZE)
        self._characters = _clamp(characters, MIN_LINE, MAX_LINE)
        self._restyle()

    @property
    def font_size(self) -> int:
        """Size of the text in pixels."""
        return self._size

    def set_strong_selection(self, strong: bool) -> None:
        """Paint the selection in the accent colour, so that a hit stands out among others."""
        colors = self._colors
        if colors is None:
            return
        back, ink = (colors.accent, colors.on_accent) if strong else (colors.soft, colors.ink)
        self.setStyleSheet(
            f"TextEdit {{ selection-background-color: {back}; selection-color: {ink}; }}"
            if strong
            else ""
        )
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Highlight, QColor(back))
        palette.setColor(QPalette.ColorRole.HighlightedText, QColor(ink))
        self.setPalette(palette)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: a style sheet gives widgets the interface's font; the page keeps its own."""
        super().changeEvent(event)
        dressed = event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}
        if dressed and self.document().defaultFont() != self._font:
            self.document().setDefaultFont(self._font)

    def _restyle(self) -> None:
        self._font = font = QFont()
        font.setFamilies([*self._families, *SERIFS, *CJK_SERIFS])
        font.setStyleHint(QFont.StyleHint.Serif)
        font.setPixelSize(self.font_size)
        self.document().setDefaultFont(font)
        self.setTabStopDistance(2.0 * self.font_size)
        if self._colors is not None:
            metrics = PageMetrics.of(font, self._characters)
            self._page.set_style(metrics, self._colors)

    # The document's text

    def plain_text(self) -> str:
        """The whole text, without what is provisional."""
        return from_document(self.document().toRawText())

    def load_text(self, text: str) -> None:
        """Start with a new text: no undo history, not modified."""
        self.setPlainText(to_document(text))
        self.document().setModified(False)

    def replace_text(self, text: str) -> None:
        """Exchange the whole text as one step of undo: a file changed on disk, say."""
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        insert_as_one_step(cursor, to_document(text))

    def selected_text(self) -> str:
        """The selected text, "" where nothing is selected."""
        return from_document(self.textCursor().selectedText())

    def insert_result(self, text: str) -> None:
        """Insert at the caret, after a selection, as one step of undo."""
        cursor = self.textCursor()
        cursor.setPosition(cursor.selectionEnd())
        insert_as_one_step(cursor, to_document(clean_paste(text)))
        self.setTextCursor(cursor)

    def replace_selection(self, text: str) -> None:
        """Put `text` in place of the selection as one step of undo."""
        cursor = self.textCursor()
        insert_as_one_step(cursor, to_document(clean_paste(text)))
        self.setTextCursor(cursor)

    # Clipboard and dropped files

    def createMimeDataFromSelection(self) -> QMimeData:
        """Qt: copy plain text only."""
        # Qt's own object, emptied: the clipboard outlives Python, and destroying an object that
        # was made in Python then crashes the process as it ends.
        data = super().createMimeDataFromSelection()
        data.text()  # only a first reading fills it; before, removing has no effect
        for kind in data.formats():
            data.removeFormat(kind)
        data.setText(self.selected_text())
        return data

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Qt: anything with text in it."""
        return source.hasText()

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Qt: paste and drop plain text only, as one step of undo."""
        self.replace_selection(source.text())
        self.ensureCursorVisible()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Qt: files are the tabs' business."""
        if _carries_files(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Qt: files are the tabs' business."""
        if _carries_files(event.mimeData()):
            event.ignore()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt: files are the tabs' business."""
        if _carries_files(event.mimeData()):
            event.ignore()
        else:
            super().dropEvent(event)

    # Scrolling

    def _note_scroll(self, value: int) -> None:
        self._page.viewport_top = float(value)

    def _stand_still(self, delta: float) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + round(delta))


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _carries_files(data: QMimeData) -> bool:
    return any(url.isLocalFile() for url in data.urls())
