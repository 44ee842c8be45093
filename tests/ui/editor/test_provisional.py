"""Provisional text: seen, and in nothing else until it is accepted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gptdesk.ui.editor import text_edit
from gptdesk.ui.editor.text_edit import TextEdit


def type_into(editor: TextEdit, text: str) -> None:
    QTest.keyClicks(editor, text)


def put_caret(editor: TextEdit, position: int) -> None:
    cursor = editor.textCursor()
    cursor.setPosition(position)
    editor.setTextCursor(cursor)


def stream(editor: TextEdit, *pieces: str) -> None:
    editor.begin_provisional()
    editor.set_generating(True)
    for piece in pieces:
        editor.append_provisional(piece)


def test_it_is_in_nothing_but_the_picture(editor: TextEdit) -> None:
    type_into(editor, "Never seen.")
    before = editor.grab().toImage()
    steps = editor.document().availableUndoSteps()
    stream(editor, " It went", " down.\nAnd on.")
    assert editor.grab().toImage() != before
    assert editor.plain_text() == "Never seen."
    assert editor.provisional_text == " It went down.\nAnd on."
    assert editor.document().availableUndoSteps() == steps
    editor.selectAll()
    editor.copy()
    assert QGuiApplication.clipboard().text() == "Never seen."
    editor.set_generating(False)
    editor.discard_provisional()
    put_caret(editor, 11)
    assert editor.plain_text() == "Never seen."
    assert not editor.has_provisional


@pytest.mark.parametrize("separator", [" ", "\n"])
def test_accepting_is_one_step_of_undo_and_of_redo(editor: TextEdit, separator: str) -> None:
    type_into(editor, "One.")
    stream(editor, " Two.", f"{separator}Three.")
    accepted = f" Two.{separator}Three."
    assert editor.accept_provisional() == accepted
    type_into(editor, " Four.")
    seen = [editor.plain_text()]
    for _ in range(3):
        editor.undo()
        seen.append(editor.plain_text())
    assert seen == [f"One.{accepted} Four.", f"One.{accepted}", "One.", ""]
    editor.redo()
    editor.redo()
    assert editor.plain_text() == f"One.{accepted}"


def test_undo_meanwhile_leaves_it_alone_and_redo_works(editor: TextEdit) -> None:
    type_into(editor, "One.")
    stream(editor, " Two.")
    editor.undo()
    assert (editor.plain_text(), editor.provisional_text) == ("", " Two.")
    editor.append_provisional(" Three.")
    editor.redo()
    assert (editor.plain_text(), editor.provisional_text) == ("One.", " Two. Three.")
    editor.accept_provisional()
    assert sorted(editor.plain_text()) == sorted("One. Two. Three.")


def test_typing_elsewhere_moves_the_anchor_along(editor: TextEdit) -> None:
    editor.load_text("First.\nSecond.\nThird.")
    put_caret(editor, 14)
    stream(editor, " More")
    put_caret(editor, 0)
    type_into(editor, "0: ")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    editor.append_provisional(" to come.")
    editor.moveCursor(QTextCursor.MoveOperation.End)
    type_into(editor, " Fourth.")
    editor.accept_provisional()
    assert editor.plain_text() == "0: \nFirst.\nSecond. More to come.\nThird. Fourth."
    assert editor.textCursor().atEnd()


def test_typing_at_the_anchor_pushes_it_along(editor: TextEdit) -> None:
    type_into(editor, "One")
    stream(editor, " two")
    type_into(editor, ", and")
    assert editor.provisional_text == " two"
    editor.accept_provisional()
    assert editor.plain_text() == "One, and two"


def test_typing_its_letters_uses_them_up_and_gives_them_back(editor: TextEdit) -> None:
    stream(editor, "she 😀went down")
    type_into(editor, "she")
    assert editor.provisional_text == " 😀went down"
    editor.append_provisional(".")
    QTest.keyClick(editor, Qt.Key.Key_Backspace)
    assert editor.provisional_text == "e 😀went down."
    type_into(editor, "e ")
    editor.set_provisional("she came back")
    assert editor.provisional_text == "came back"
    editor.accept_provisional()
    assert editor.plain_text() == "she came back"


def test_deleting_the_text_around_it_loses_nothing_of_it(editor: TextEdit) -> None:
    editor.load_text("One two three")
    put_caret(editor, 7)
    stream(editor, " and a half")
    editor.selectAll()
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    assert (editor.plain_text(), editor.provisional_text) == ("", " and a half")
    editor.accept_provisional()
    editor.undo()
    editor.undo()
    assert editor.plain_text() == "One two three"


def test_tab_accepts_it_and_is_a_tab_otherwise(editor: TextEdit, qtbot: QtBot) -> None:
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.plain_text() == "\t"
    stream(editor, "a", "b")
    with qtbot.waitSignals([editor.stop_requested, editor.provisional_accepted]):
        QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.plain_text() == "\tab"
    editor.append_provisional("late")
    assert not editor.has_provisional


def test_escape_stops_then_discards(editor: TextEdit, qtbot: QtBot) -> None:
    stream(editor, "kept so far")
    with qtbot.waitSignal(editor.stop_requested):
        QTest.keyClick(editor, Qt.Key.Key_Escape)
    editor.set_generating(False)
    assert editor.has_provisional
    with qtbot.waitSignal(editor.provisional_discarded) as discarded:
        QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert discarded.args == ["kept so far"]
    assert editor.plain_text() == ""


def test_an_escape_just_after_the_end_of_a_run_keeps_what_came(
    editor: TextEdit, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_edit, "LATE_ESCAPE_MS", 3_600_000)
    stream(editor, "came whole")
    editor.set_generating(False)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert editor.provisional_text == "came whole"
    monkeypatch.setattr(text_edit, "LATE_ESCAPE_MS", 0)
    QTest.qWait(5)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert not editor.has_provisional


def test_control_right_accepts_a_word_at_the_anchor_only(editor: TextEdit) -> None:
    editor.load_text("One two")
    editor.moveCursor(QTextCursor.MoveOperation.End)
    stream(editor, " three, four. 台阶")
    control = Qt.KeyboardModifier.ControlModifier
    for expected in ("One two three,", "One two three, four.", "One two three, four. 台"):
        QTest.keyClick(editor, Qt.Key.Key_Right, control)
        assert editor.plain_text() == expected
    put_caret(editor, 0)
    QTest.keyClick(editor, Qt.Key.Key_Right, control)
    assert editor.textCursor().position() == 4
    assert editor.provisional_text == "阶"


def test_a_retry_starts_at_the_same_place(editor: TextEdit) -> None:
    editor.load_text("One.\nTwo.")
    put_caret(editor, 4)
    stream(editor, " first try")
    put_caret(editor, 9)
    stream(editor, " second try")
    assert editor.text_before_cursor() == "One."
    editor.accept_provisional()
    assert editor.plain_text() == "One. second try\nTwo."


def test_loading_another_text_discards_it(editor: TextEdit, qtbot: QtBot) -> None:
    stream(editor, "old")
    with qtbot.waitSignal(editor.provisional_discarded):
        editor.load_text("new")
    assert (editor.plain_text(), editor.has_provisional) == ("new", False)


def compose(editor: TextEdit, preedit: str = "", commit: str = "") -> None:
    event = QInputMethodEvent(preedit, [])
    event.setCommitString(commit)
    QApplication.sendEvent(editor, event)


@pytest.mark.parametrize("caret", [0, 3, 7])
def test_an_input_method_composes_beside_it(editor: TextEdit, caret: int) -> None:
    editor.load_text("One two")
    put_caret(editor, 3)
    stream(editor, " and a half")
    editor.set_generating(False)
    put_caret(editor, caret)
    compose(editor, "ni hao")
    editor.append_provisional(".")
    editor.grab()
    # Tab belongs to the input method now.
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.provisional_text == " and a half."
    compose(editor, commit="你好")
    assert editor.provisional_text == " and a half."
    expected = "One two"[:caret] + "你好" + "One two"[caret:]
    assert editor.plain_text().replace("\t", "") == expected


def test_a_space_after_the_anchor_keeps_its_width(editor: TextEdit) -> None:
    editor.load_text("One two three")
    put_caret(editor, 3)
    stream(editor, " and")
    end = editor._provisional_end()
    put_caret(editor, 4)
    line = editor.document().firstBlock().layout().lineForTextPosition(5)
    left, _ = editor._page.column
    assert line.x() + left - end.left() > 3


@pytest.mark.parametrize("start", ["The harbour lay open like a drawer.", "# Low water"])
def test_its_lines_do_not_overlap_the_text_after_it(editor: TextEdit, start: str) -> None:
    editor.load_text(f"{start} Boats leaned on their keels.\nNext.")
    put_caret(editor, len(start))
    tops = []
    for _ in range(40):
        stream(editor, "word " * len(tops), "\n" * (len(tops) % 3))
        following = editor.document().lastBlock()
        rect = editor.document().documentLayout().blockBoundingRect(following)
        end = editor._page.gap_end_rect()
        assert end.bottom() <= rect.top()
        first = editor.document().firstBlock()
        layout = first.layout()
        last = layout.lineAt(layout.lineCount() - 1)
        origin = editor.document().documentLayout().blockBoundingRect(first).top()
        assert origin + last.y() + last.height() <= rect.top()
        tops.append(rect.top())
    assert tops[-1] > tops[0]


def test_the_caret_is_seen_before_it_and_follows_it_there(editor: TextEdit) -> None:
    editor.load_text("One two three four")
    put_caret(editor, 6)
    before = editor.cursorRect()
    stream(editor, " and a half")
    seen = editor.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
    assert abs(seen.left() - before.left()) <= 1
    assert editor.cursorRect().left() > before.left()
    put_caret(editor, 0)
    seen = editor.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
    assert seen.toRect() == editor.cursorRect()


def test_a_heading_keeps_its_looks_while_an_input_method_composes(editor: TextEdit) -> None:
    editor.load_text("# One two")
    put_caret(editor, 5)
    tall = editor.cursorRect().height()
    compose(editor, "ni")
    formats = editor.document().firstBlock().layout().formats()
    assert [(r.start, r.length) for r in formats if r.format.fontWeight() > 400] == [(0, 11)]
    compose(editor, commit="你")
    assert editor.cursorRect().height() >= tall
