"""The plain-text editor: one centred column, provisional text at an anchor, the writer's keys."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragMoveEvent,
    QDropEvent,
    QFont,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextCursor,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from gptdesk.ui.editor.metrics import PageMetrics
from gptdesk.ui.editor.page_layout import PageLayout
from gptdesk.ui.editor.placeholder import draw_placeholder
from gptdesk.ui.editor.provisional import Provisional
from gptdesk.ui.editor.raw_text import clean_paste, from_document, to_document
from gptdesk.ui.theme.colors import Colors

FONT_SIZE, MIN_FONT_SIZE, MAX_FONT_SIZE = 17, 9, 60
LINE_CHARACTERS, MIN_LINE, MAX_LINE = 68, 40, 100
SERIFS = ["Noto Serif", "Source Serif 4", "Georgia", "Times New Roman", "serif"]
CJK_SERIFS = ["Noto Serif CJK SC", "Songti SC", "SimSun"]


class TextEdit(QTextEdit):
    """Plain text in, plain text out; what is provisional is in neither.

    Esc while generating emits `stop_requested`; Esc again discards what came. Tab accepts
    provisional text (stopping first) and is an ordinary tab otherwise; Ctrl+Right at the anchor
    accepts a word. Connect `QTextEdit.textChanged` for edits of the document.
    """

    provisional_changed = Signal()
    provisional_accepted = Signal(str)
    provisional_discarded = Signal(str)
    stop_requested = Signal()
    font_size_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("editor")
        self.setAccessibleName(self.tr("Text"))
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setCursorWidth(2)
        self._font = QFont()
        self._composing = False
        self._colors: Colors | None = None
        self._families: list[str] = []
        self._base_size = self._size = FONT_SIZE
        self._characters = LINE_CHARACTERS
        self._page = PageLayout(self.document())
        self.document().setDocumentLayout(self._page)
        self._provisional = Provisional(self, self._page)
        self._provisional.changed.connect(self.provisional_changed)
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
        self._base_size = self._size = _clamp(size, MIN_FONT_SIZE, MAX_FONT_SIZE)
        self._characters = _clamp(characters, MIN_LINE, MAX_LINE)
        self._restyle()

    @property
    def font_size(self) -> int:
        """Size of the text in pixels, zoom included."""
        return self._size

    def zoom(self, steps: int) -> None:
        """Make the text larger or smaller by so many pixels; 0 goes back to the chosen size."""
        size = _clamp(self._size + steps, MIN_FONT_SIZE, MAX_FONT_SIZE)
        self._size = size if steps else self._base_size
        self._restyle()
        self.font_size_changed.emit(self._size)

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
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            if self.document().defaultFont() != self._font:
                self.document().setDefaultFont(self._font)
        elif event.type() == QEvent.Type.LanguageChange:
            self.setAccessibleName(self.tr("Text"))
            self.viewport().update()

    def _restyle(self) -> None:
        self._font = font = QFont()
        font.setFamilies([*self._families, *SERIFS, *CJK_SERIFS])
        font.setStyleHint(QFont.StyleHint.Serif)
        font.setPixelSize(self._size)
        self.document().setDefaultFont(font)
        self.setTabStopDistance(4 * self._size * 0.5)
        if self._colors is not None:
            metrics = PageMetrics.of(font, self._characters)
            self._page.set_style(metrics, self._colors)

    # The document's text

    def plain_text(self) -> str:
        """The whole text, without what is provisional."""
        return from_document(self.document().toRawText())

    def load_text(self, text: str) -> None:
        """Start with a new text: no undo history, not modified, nothing provisional."""
        self.discard_provisional()
        self.setPlainText(to_document(text))
        self.document().setModified(False)

    def replace_text(self, text: str) -> None:
        """Exchange the whole text as one step of undo: a file changed on disk, say."""
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        self._insert(cursor, to_document(text))

    def text_before_cursor(self) -> str:
        """The text before the caret; before the anchor where there is provisional text."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._provisional.position, QTextCursor.MoveMode.KeepAnchor)
        return from_document(cursor.selectedText())

    def text_after_cursor(self) -> str:
        """The text after the caret; after the anchor where there is provisional text."""
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._provisional.position)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        return from_document(cursor.selectedText())

    def selected_text(self) -> str:
        """The selected text, "" where nothing is selected."""
        return from_document(self.textCursor().selectedText())

    def insert_result(self, text: str) -> None:
        """Insert at the caret, after a selection, as one step of undo."""
        cursor = self.textCursor()
        cursor.setPosition(cursor.selectionEnd())
        self._insert(cursor, to_document(clean_paste(text)))
        self.setTextCursor(cursor)

    def replace_selection(self, text: str) -> None:
        """Put `text` in place of the selection as one step of undo."""
        cursor = self.textCursor()
        self._insert(cursor, to_document(clean_paste(text)))
        self.setTextCursor(cursor)

    @staticmethod
    def _insert(cursor: QTextCursor, text: str) -> None:
        cursor.beginEditBlock()
        cursor.insertText(text)
        cursor.endEditBlock()

    # Provisional text

    @property
    def has_provisional(self) -> bool:
        """Whether there is provisional text to accept."""
        return bool(self._provisional.text)

    @property
    def provisional_text(self) -> str:
        """The provisional text."""
        return self._provisional.text

    @property
    def provisional_position(self) -> int:
        """Where it stands: a position of the document."""
        return self._provisional.position

    def begin_provisional(self) -> None:
        """Await provisional text at the caret, or anew at the anchor there is (a retry)."""
        self._provisional.begin()

    def restore_provisional(self, position: int, text: str) -> None:
        """Show provisional text that the journal kept."""
        self._provisional.place(position, text)

    def set_generating(self, generating: bool) -> None:
        """Tell whether a run is under way: Esc then means stop, and a bar marks the end."""
        self._provisional.set_generating(generating)

    def append_provisional(self, text: str) -> None:
        """Add streamed text; the view follows unless the writer scrolled away."""
        followed = self._shows(self._provisional_end())
        self._provisional.append(text)
        if followed:
            self._scroll_to(self._provisional_end())

    def set_provisional(self, text: str) -> None:
        """Show another alternative in place of the provisional text."""
        self._provisional.replace(text)

    def accept_provisional(self) -> str:
        """Make the provisional text part of the document as one step of undo; return it."""
        at_anchor = self.textCursor().position() == self._provisional.position
        text = self._provisional.accept()
        if text:
            if at_anchor:
                self.ensureCursorVisible()
            self.provisional_accepted.emit(text)
        return text

    def accept_word(self) -> str:
        """Make its first word part of the document; return it."""
        text = self._provisional.accept_word()
        self.ensureCursorVisible()
        return text

    def discard_provisional(self) -> str:
        """Forget the provisional text; return it."""
        text = self._provisional.discard()
        if text:
            self.provisional_discarded.emit(text)
        return text

    # Keys and input methods

    def event(self, event: QEvent) -> bool:
        """Qt: claim keys that mean something here before a menu's shortcut takes them."""
        if event.type() == QEvent.Type.ShortcutOverride and self._claims(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Tab, Esc and Ctrl+Right belong to provisional text while there is some."""
        if not (self._claims(event) and self._handle(event)):
            if event.key() == Qt.Key.Key_Escape:
                event.ignore()  # the window's: closes the find bar, leaves full screen
            else:
                super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Qt: remember whether an input method composes; Tab is its key then."""
        self._composing = bool(event.preeditString())
        super().inputMethodEvent(event)

    def _claims(self, event: QKeyEvent) -> bool:
        if self._composing:
            return False
        key, modifiers = event.key(), event.modifiers()
        if event.matches(QKeySequence.StandardKey.Redo) or key == Qt.Key.Key_Y:
            return modifiers == Qt.KeyboardModifier.ControlModifier
        if key == Qt.Key.Key_Right:
            at_anchor = self.textCursor().position() == self._provisional.position
            control = modifiers == Qt.KeyboardModifier.ControlModifier
            return control and at_anchor and self.has_provisional
        if modifiers:
            return False
        if key == Qt.Key.Key_Escape:
            return self._provisional.active
        return key == Qt.Key.Key_Tab and self.has_provisional

    def _handle(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Y:
            self.redo()
        elif key == Qt.Key.Key_Right:
            self.accept_word()
        elif key == Qt.Key.Key_Escape and self._provisional.generating:
            self.stop_requested.emit()
        elif key == Qt.Key.Key_Escape:
            self.discard_provisional()
        elif key == Qt.Key.Key_Tab:
            if self._provisional.generating:
                self.stop_requested.emit()
            self.accept_provisional()
        else:
            return False
        return True

    # Clipboard and dropped files

    def createMimeDataFromSelection(self) -> QMimeData:
        """Qt: copy plain text only."""
        data = QMimeData()
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

    # Painting and scrolling

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the page; an empty one teaches its keys."""
        super().paintEvent(event)
        if self.document().isEmpty() and not self._provisional.active and not self._composing:
            painter = QPainter(self.viewport())
            left, width = self._page.column
            top = self.cursorRect().top() - self.verticalScrollBar().value()
            draw_placeholder(
                painter, QPointF(left + 4, top), width - 4, self.font(), self.palette()
            )
            painter.end()

    def _provisional_end(self) -> QRect:
        rect = self._page.gap_end_rect().toAlignedRect()
        return rect.translated(0, -self.verticalScrollBar().value())

    def _shows(self, rect: QRect) -> bool:
        return self.viewport().rect().intersects(rect)

    def _scroll_to(self, rect: QRect) -> None:
        below = rect.bottom() + 2 * self._size - self.viewport().height()
        if below > 0:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + below)

    def _note_scroll(self, value: int) -> None:
        self._page.viewport_top = float(value)

    def _stand_still(self, delta: float) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + round(delta))


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _carries_files(data: QMimeData) -> bool:
    return any(url.isLocalFile() for url in data.urls())
