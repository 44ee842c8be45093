"""The editor: the page to write on, provisional text at an anchor, and the writer's keys."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QInputMethodEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QWidget

from gptdesk.ui.editor.page_edit import PageEdit
from gptdesk.ui.editor.placeholder import draw_placeholder, placeholder_lines
from gptdesk.ui.editor.provisional import Provisional
from gptdesk.ui.editor.raw_text import from_document

# An Esc that was meant to stop a run comes too late when the run has just ended by itself: it must
# not throw away what it was meant to keep.
LATE_ESCAPE_MS = 600


class TextEdit(PageEdit):
    """A page whose provisional text is seen and is in nothing else until it is accepted.

    Esc while generating emits `stop_requested`; Esc again discards what came. Tab accepts
    provisional text (stopping first) and is an ordinary tab otherwise; Ctrl+Right at the anchor
    accepts a word. Connect `QTextEdit.textChanged` for edits of the document.
    """

    provisional_changed = Signal()
    provisional_accepted = Signal(str)
    provisional_discarded = Signal(str)
    stop_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("editor")
        self._composing = False
        self._stop_asked = False
        self._since_end = QElapsedTimer()
        self._provisional = Provisional(self, self._page)
        self._provisional.changed.connect(self.provisional_changed)
        self.cursorPositionChanged.connect(self._on_caret_moved)
        self._retranslate()

    def load_text(self, text: str) -> None:
        """Start with a new text: no undo history, not modified, nothing provisional."""
        self.discard_provisional()
        super().load_text(text)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: the language of the window changed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Text"))
        keys = "; ".join(f"{key} {words}".strip() for key, words in placeholder_lines())
        self.setAccessibleDescription(keys)
        self.viewport().update()

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
        if generating:
            self._stop_asked = False
            self._since_end.invalidate()
        elif self._provisional.generating and not self._stop_asked:
            self._since_end.start()
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
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self._claims(event)
        ):
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

    def inputMethodQuery(self, query: Qt.InputMethodQuery) -> object:
        """Qt: candidates of an input method open at the caret that is seen."""
        if query == Qt.InputMethodQuery.ImCursorRectangle:
            caret = self._caret_at_anchor()
            if not caret.isEmpty():
                return QRectF(caret)
        return super().inputMethodQuery(query)

    def _claims(self, event: QKeyEvent) -> bool:
        if self._composing:
            return False
        key, modifiers = event.key(), event.modifiers()
        if key == Qt.Key.Key_Y:  # redo everywhere, besides the platform's own key for it
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
        elif key == Qt.Key.Key_Escape:
            self._escape()
        elif key == Qt.Key.Key_Tab:
            if self._provisional.generating:
                self.stop_requested.emit()
            self.accept_provisional()
        else:
            return False
        return True

    def _escape(self) -> None:
        if self._provisional.generating:
            self._stop_asked = True
            self.stop_requested.emit()
        elif not self._since_end.isValid() or self._since_end.hasExpired(LATE_ESCAPE_MS):
            self.discard_provisional()

    # Painting and scrolling

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: paint the page; an empty one teaches its keys."""
        super().paintEvent(event)
        caret = self._caret_at_anchor()
        if not caret.isEmpty() and not event.region().contains(caret):
            self.viewport().update(caret)  # Qt blinks the caret where it would have drawn it
        if self.document().isEmpty() and not self._provisional.active and not self._composing:
            painter = QPainter(self.viewport())
            left, width = self._page.column
            top = self.cursorRect().top() - self.verticalScrollBar().value()
            draw_placeholder(painter, QPointF(left + 4, top), width - 4, self._font, self.palette())
            painter.end()

    def _caret_at_anchor(self) -> QRect:
        """Where the caret is drawn before provisional text; empty when it stands elsewhere."""
        at_anchor = self.textCursor().position() == self._provisional.position
        if self._composing or not at_anchor or not self._provisional.active:
            return QRect()
        rect = self._in_view(self._page.gap_start_rect())
        return rect & self.viewport().rect()

    def _provisional_end(self) -> QRect:
        return self._in_view(self._page.gap_end_rect())

    def _in_view(self, rect: QRectF) -> QRect:
        return rect.toAlignedRect().translated(0, -self.verticalScrollBar().value())

    def _on_caret_moved(self) -> None:
        if self._provisional.active:
            self.viewport().update()

    def _shows(self, rect: QRect) -> bool:
        return self.viewport().rect().intersects(rect)

    def _scroll_to(self, rect: QRect) -> None:
        below = rect.bottom() + 2 * self.font_size - self.viewport().height()
        if below > 0:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + below)
