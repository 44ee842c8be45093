"""Finding and replacing, in positions that count emoji as Qt does."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from gptdesk.ui.documents import DocumentView
from gptdesk.ui.editor.find_bar import FindBar
from gptdesk.ui.theme.colors import load_colors

TEXT = "The tide 😀 went out.\nFurther than the others; then THE end."


@pytest.fixture
def view(qtbot: QtBot) -> DocumentView:
    view = DocumentView(1)
    qtbot.addWidget(view)
    view.set_colors(load_colors("light"))
    view.editor.load_text(TEXT)
    with qtbot.waitExposed(view):
        view.show()
    return view


def field(bar: FindBar, name: str) -> QLineEdit:
    return bar.findChild(QLineEdit, name)


def count(bar: FindBar) -> str:
    return bar.findChild(QLabel, "find.count").text()


def test_enter_goes_on_and_around(view: DocumentView) -> None:
    bar = view.find_bar
    bar.open_bar()
    query = field(bar, "find.text")
    QTest.keyClicks(query, "the")
    seen = [count(bar)]
    for modifier in (Qt.KeyboardModifier.NoModifier,) * 5 + (Qt.KeyboardModifier.ShiftModifier,):
        QTest.keyClick(query, Qt.Key.Key_Return, modifier)
        seen.append(count(bar))
        assert view.editor.selected_text().lower() == "the"
    assert seen == ["1 / 6", "2 / 6", "3 / 6", "4 / 6", "5 / 6", "6 / 6", "5 / 6"]
    bar.find_next()
    bar.find_next()
    assert count(bar) == "1 / 6"


def test_case_and_whole_words(view: DocumentView) -> None:
    bar = view.find_bar
    bar.open_bar()
    field(bar, "find.text").setText("the")
    bar.findChild(QCheckBox, "find.words").setChecked(True)
    bar.find_previous()
    assert count(bar) == "3 / 3"
    assert view.editor.selected_text() == "THE"
    bar.findChild(QCheckBox, "find.case").setChecked(True)
    bar.find_next()
    assert (count(bar), view.editor.selected_text()) == ("1 / 1", "the")


def test_what_is_not_there_is_said(view: DocumentView) -> None:
    view.find_bar.open_bar()
    field(view.find_bar, "find.text").setText("zebra.*")
    view.find_bar.find_next()
    assert count(view.find_bar) == "nothing found"
    field(view.find_bar, "find.text").clear()
    assert count(view.find_bar) == ""


def test_the_selection_is_the_first_query_and_escape_goes_back(view: DocumentView) -> None:
    cursor = view.editor.textCursor()
    cursor.setPosition(4)
    cursor.setPosition(8, cursor.MoveMode.KeepAnchor)
    view.editor.setTextCursor(cursor)
    view.find_bar.open_bar()
    assert field(view.find_bar, "find.text").text() == "tide"
    QTest.keyClick(field(view.find_bar, "find.text"), Qt.Key.Key_Escape)
    assert view.find_bar.isHidden()
    assert view.editor.extraSelections() == []


def test_replacing_all_is_one_step_of_undo(view: DocumentView) -> None:
    bar = view.find_bar
    bar.open_bar(replace=True)
    field(bar, "find.text").setText("the")
    field(bar, "find.replacement").setText("ein 😀")
    bar.replace_one()
    assert view.editor.plain_text().startswith("ein 😀 tide 😀")
    bar.replace_all()
    text = view.editor.plain_text()
    assert text.count("ein 😀") == 6
    assert count(bar) == "nothing found"
    view.editor.undo()
    view.editor.undo()
    assert view.editor.plain_text() == TEXT


def test_the_count_follows_the_text(view: DocumentView, qtbot: QtBot) -> None:
    view.find_bar.open_bar()
    field(view.find_bar, "find.text").setText("tide")
    view.editor.insert_result(" tide")
    qtbot.waitUntil(lambda: count(view.find_bar).endswith("2") or "2" in count(view.find_bar))


def test_provisional_text_is_not_found(view: DocumentView) -> None:
    view.editor.begin_provisional()
    view.editor.append_provisional("zebra")
    view.find_bar.open_bar()
    field(view.find_bar, "find.text").setText("zebra")
    assert count(view.find_bar) == "nothing found"
