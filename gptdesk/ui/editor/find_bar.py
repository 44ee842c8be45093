"""The find bar below the editor: find, replace, count."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from gptdesk.ui.editor.raw_text import to_document
from gptdesk.ui.editor.search import Hits, Query
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.theme.colors import Colors

_MARKED = 300
"""At most so many hits are marked in the text, around the caret; all are counted."""


class FindBar(QWidget):
    """Finds in one editor. Enter and F3 go on, Shift goes back, Esc closes."""

    def __init__(self, editor: TextEdit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("find")
        self._editor = editor
        self._hits = Hits(editor.document(), Query(""))
        self._mark = QTextCharFormat()
        self._stale = QTimer(self)  # searching again at each key of a fast typist helps nobody
        self._stale.setSingleShot(True)
        self._stale.setInterval(150)
        self._stale.timeout.connect(self._search)
        self._build()
        self.retranslate()
        editor.textChanged.connect(self._on_text_changed)
        self.hide()

    def _build(self) -> None:
        self._text = self._field("find.text")
        self._replacement = self._field("find.replacement")
        self._count = QLabel(self)
        self._count.setObjectName("find.count")
        self._case = self._check("find.case")
        self._words = self._check("find.words")
        self._previous = self._button("find.previous", self.find_previous)
        self._next = self._button("find.next", self.find_next)
        self._close = self._button("find.close", self.close_bar)
        self._replace = self._button("find.replace", self.replace_one)
        self._replace_all = self._button("find.replace_all", self.replace_all)
        self._replace_row = QWidget(self)
        lower = _row(self._replacement, self._replace, self._replace_all)
        lower.setContentsMargins(0, 0, 0, 0)
        self._replace_row.setLayout(lower)
        upper = _row(
            self._text,
            self._count,
            self._previous,
            self._next,
            self._case,
            self._words,
            self._close,
        )
        rows = QVBoxLayout(self)
        rows.setContentsMargins(18, 8, 18, 8)
        rows.setSpacing(8)
        rows.addLayout(upper)
        rows.addWidget(self._replace_row)
        self._text.textChanged.connect(self._on_query)

    def retranslate(self) -> None:
        """Set every word again, for a new language of the window."""
        self.setAccessibleName(self.tr("Find"))
        for field, words in (
            (self._text, self.tr("Find")),
            (self._replacement, self.tr("Replace with")),
        ):
            field.setPlaceholderText(words)
            field.setAccessibleName(words)
        self._case.setText(self.tr("Match case"))
        self._words.setText(self.tr("Whole words"))
        self._replace.setText(self.tr("Replace"))
        self._replace_all.setText(self.tr("Replace all"))
        self._label(self._previous, "‹", self.tr("Find previous"), "Shift+F3")
        self._label(self._next, "›", self.tr("Find next"), "F3")
        self._label(self._close, "×", self.tr("Close"), "Esc")
        self._show_count()

    def set_colors(self, colors: Colors) -> None:
        """Take over the colours of a theme."""
        self._mark.setBackground(QColor(colors.soft))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(
            f"FindBar {{ background: {colors.panel}; border-top: 1px solid {colors.hairline}; }}"
            f"FindBar QLabel {{ color: {colors.muted}; }}"
            "FindBar QPushButton[sign=true] { padding: 6px 0; }"
        )
        self._editor.set_strong_selection(self.isVisible())
        self._show_marks()

    # Opening and closing

    def open_bar(self, *, replace: bool = False) -> None:
        """Show the bar with the selection as query."""
        selected = self._editor.selected_text()
        if selected and "\n" not in selected:
            self._text.setText(selected)
        self._replace_row.setVisible(replace)
        self.show()
        self._editor.set_strong_selection(True)
        self._search()
        self._text.setFocus()
        self._text.selectAll()

    def close_bar(self) -> None:
        """Hide the bar and go on writing."""
        self.hide()
        self._editor.set_strong_selection(False)
        self._show_marks()
        self._editor.setFocus()

    # Finding

    def find_next(self) -> None:
        """Select the next hit; opens the bar when there is no query yet."""
        self._go(forward=True)

    def find_previous(self) -> None:
        """Select the hit before; opens the bar when there is no query yet."""
        self._go(forward=False)

    def _go(self, *, forward: bool) -> None:
        if not self._text.text():
            self.open_bar()
            return
        self._search()
        if not len(self._hits):
            return
        cursor = self._editor.textCursor()
        if forward:
            self._select(self._hits.after(cursor.selectionEnd()))
        else:
            self._select(self._hits.before(cursor.selectionStart()))

    def replace_one(self) -> None:
        """Replace the selected hit and select the next one."""
        cursor = self._editor.textCursor()
        if self._hits.at(cursor.selectionStart(), cursor.selectionEnd()) is not None:
            self._editor.replace_selection(self._replacement.text())
        self.find_next()

    def replace_all(self) -> None:
        """Replace every hit as one step of undo."""
        self._search()
        cursor = QTextCursor(self._editor.document())
        replacement = to_document(self._replacement.text())
        cursor.beginEditBlock()
        for start, end in reversed(self._hits.places):
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(replacement)
        cursor.endEditBlock()
        self._search()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Enter goes on, Shift+Enter back, Esc closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_bar()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            back = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            self._go(forward=not back)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: the language of the window changed."""
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    # The state shown

    def _on_query(self) -> None:
        """Show the first hit from the caret on while the query is typed."""
        self._search()
        if len(self._hits):
            self._select(self._hits.after(self._editor.textCursor().selectionStart()))

    def _on_text_changed(self) -> None:
        if self.isVisible():
            self._stale.start()

    def _search(self) -> None:
        self._stale.stop()
        query = Query(
            to_document(self._text.text()), self._case.isChecked(), self._words.isChecked()
        )
        self._hits = Hits(self._editor.document(), query)
        self._show_count()
        self._show_marks()

    def _select(self, index: int) -> None:
        start, end = self._hits.places[index]
        cursor = self._editor.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._editor.setTextCursor(cursor)
        self._keep_clear(self._editor.cursorRect())
        self._show_count()
        self._show_marks()

    def _keep_clear(self, rect: QRect) -> None:
        """Scroll so that a hit is not at the very edge of the view."""
        view = self._editor.viewport().rect()
        margin = min(80, view.height() // 4)
        bar = self._editor.verticalScrollBar()
        if rect.bottom() > view.bottom() - margin:
            bar.setValue(bar.value() + rect.bottom() - view.bottom() + margin)
        elif rect.top() < margin:
            bar.setValue(bar.value() + rect.top() - margin)

    def _show_count(self) -> None:
        total = len(self._hits)
        cursor = self._editor.textCursor()
        index = self._hits.at(cursor.selectionStart(), cursor.selectionEnd())
        if not self._text.text():
            words = ""
        elif not total:
            words = self.tr("nothing found")
        elif index is None:
            words = self.tr("{0} found").format(total)
        else:
            words = f"{index + 1} / {total}"
        self._count.setText(words)
        for button in (self._previous, self._next, self._replace, self._replace_all):
            button.setEnabled(bool(total) or button in (self._previous, self._next))

    def _show_marks(self) -> None:
        marks = []
        caret = self._editor.textCursor().position()
        for start, end in self._hits.around(caret, _MARKED) if self.isVisible() else []:
            mark = QTextEdit.ExtraSelection()
            mark.cursor = QTextCursor(self._editor.document())
            mark.cursor.setPosition(start)
            mark.cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            mark.format = self._mark
            marks.append(mark)
        self._editor.setExtraSelections(marks)

    # Parts

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit(self)
        field.setObjectName(name)
        field.setClearButtonEnabled(True)
        return field

    def _check(self, name: str) -> QCheckBox:
        box = QCheckBox(self)
        box.setObjectName(name)
        box.toggled.connect(self._search)
        return box

    def _button(self, name: str, slot: Callable[[], None]) -> QPushButton:
        button = QPushButton(self)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(slot)
        return button

    @staticmethod
    def _label(button: QPushButton, sign: str, words: str, key: str) -> None:
        button.setText(sign)
        button.setProperty("sign", True)
        button.setAccessibleName(words)
        button.setToolTip(f"{words}  {key}")
        button.setFixedWidth(32)


def _row(first: QWidget, *others: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(first, 1)
    for widget in others:
        row.addWidget(widget)
    return row
