"""Plain text in, the same plain text out, and undo that knows nothing but text."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtTest import QTest

from gptdesk.ui.editor.raw_text import (
    clean_paste,
    from_document,
    python_index,
    to_document,
    utf16_index,
)
from gptdesk.ui.editor.text_edit import TextEdit
from gptdesk.ui.theme.colors import load_colors

ANY_TEXT = st.text(
    st.one_of(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]),
        st.sampled_from("\n\r\t\u00a0\u2028\u2029\u0085\ufdd0\ufdd1\ufdd2\ufeff😀👩‍👩‍👧#*` "),
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT)
def test_every_text_comes_back(editor: TextEdit, text: str) -> None:
    editor.load_text(text)
    assert editor.plain_text() == text
    assert not editor.document().isModified()
    assert not editor.document().isUndoAvailable()
    editor.replace_text("")
    editor.undo()
    assert editor.plain_text() == text


@given(ANY_TEXT)
def test_the_form_for_documents_is_reversible(text: str) -> None:
    inner = to_document(text)
    assert from_document(inner) == text
    assert not set(inner) & set("\r\u2029\ufdd0\ufdd1")


@given(st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_indices_of_qt_and_python_agree(text: str, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(text)))
    assert python_index(text, utf16_index(text, index)) == index


def test_laying_out_and_formatting_are_no_edits(editor: TextEdit) -> None:
    editor.load_text("# A heading\n\nSome *text* that is **strong**.\n" * 50)
    editor.grab()
    editor.set_typography(size=22)
    editor.resize(500, 400)
    editor.set_colors(load_colors("dark"))
    editor.grab()
    assert not editor.document().isModified()
    assert not editor.document().isUndoAvailable()
    QTest.keyClicks(editor, "x")
    editor.undo()
    assert editor.plain_text().startswith("# A heading\n")
    assert not editor.document().isUndoAvailable()


def test_results_are_one_step_of_undo_each(editor: TextEdit) -> None:
    QTest.keyClicks(editor, "one ")
    editor.insert_result("two, three ")
    QTest.keyClicks(editor, "four")
    editor.moveCursor(QTextCursor.MoveOperation.Start)
    for _ in range(3):
        editor.moveCursor(QTextCursor.MoveOperation.Right, QTextCursor.MoveMode.KeepAnchor)
    assert editor.selected_text() == "one"
    editor.replace_selection("1")
    seen = [editor.plain_text()]
    while editor.document().isUndoAvailable():
        editor.undo()
        seen.append(editor.plain_text())
    assert seen == ["1 two, three four", "one two, three four", "one two, three ", "one ", ""]


def test_typing_from_both_ends_of_the_keyboard(editor: TextEdit) -> None:
    QTest.keyClicks(editor, "a")
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QTest.keyClicks(editor, "b")
    assert editor.plain_text() == "a\t\nb"
    QTest.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    before = editor.plain_text()
    assert before != "a\t\nb"
    QTest.keyClick(editor, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert editor.plain_text() == "a\t\nb"


def test_paste_brings_plain_text_only(editor: TextEdit) -> None:
    data = QMimeData()
    data.setHtml("<h1>Big</h1><b>bold</b>")
    data.setText("Big\r\nbold\u00a0\0x")
    QGuiApplication.clipboard().setMimeData(data)
    editor.paste()
    QGuiApplication.clipboard().clear()  # an object made in Python must not outlive it there
    assert editor.plain_text() == "Big\nbold\u00a0x"
    block = editor.document().firstBlock()
    assert block.begin().fragment().charFormat().fontWeight() <= 400
    editor.undo()
    assert editor.plain_text() == ""


def test_copy_gives_plain_text_only(editor: TextEdit) -> None:
    editor.load_text("# a\u00a0b\u2028c\nd")
    editor.selectAll()
    editor.copy()
    copied = QGuiApplication.clipboard().mimeData()
    assert copied.text() == "# a\u00a0b\u2028c\nd"
    assert copied.formats() == ["text/plain"]


def test_a_process_that_ends_with_text_on_the_clipboard_ends_well() -> None:
    program = (
        "from PySide6.QtWidgets import QApplication\n"
        "from gptdesk.ui.editor.text_edit import TextEdit\n"
        "app = QApplication([])\n"
        "editor = TextEdit()\n"
        "editor.load_text('copied')\n"
        "editor.selectAll()\n"
        "editor.copy()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == 0


def test_text_around_the_caret_counts_characters_not_utf16_units(editor: TextEdit) -> None:
    editor.load_text("😀a\u00a0b\nc")
    cursor = editor.textCursor()
    cursor.setPosition(4)
    editor.setTextCursor(cursor)
    assert (editor.text_before_cursor(), editor.text_after_cursor()) == ("😀a\u00a0", "b\nc")


def test_foreign_line_ends_become_ours() -> None:
    assert clean_paste("a\r\nb\rc\u2029d\ne\0") == "a\nb\nc\nd\ne"


def test_the_font_size_has_limits(editor: TextEdit) -> None:
    sizes = []
    for size in (20, 1000, 1):
        editor.set_typography(size=size)
        sizes.append(editor.font_size)
    assert sizes == [20, 60, 9]


def test_an_empty_document_teaches_three_keys_until_the_first_one(editor: TextEdit) -> None:
    empty = editor.grab().toImage()
    QTest.keyClicks(editor, "x")
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    assert editor.plain_text() == ""
    editor.insertPlainText(" ")
    assert _ink(editor.grab().toImage()) < _ink(empty) / 10


def test_the_font_survives_the_interface_style(editor: TextEdit) -> None:
    editor.setStyleSheet("* { font: 9px 'Noto Sans'; }")
    editor.grab()
    assert editor.document().defaultFont().pixelSize() == 17


def _ink(image) -> int:
    paper = image.pixel(0, 0)
    return sum(
        image.pixel(x, y) != paper
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
    )
