"""Rewritten texts in the window: beside their source, with marks on what changed."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QPushButton, QTextEdit
from pytestqt.qtbot import QtBot

from gptdesk.text.differences import changes
from gptdesk.ui import theme
from gptdesk.ui.assistant.change_marks import ChangeMarks
from tests.ui.window_driver import Driver

TEXT = "Did you recieve 🚤 the the letter? 他在哪里住了十年。"
BETTER = "Did you receive 🚤 the letter, then? 他在那里住了十年。"


def marked(view: QTextEdit) -> list[str]:
    return [mark.cursor.selectedText() for mark in view.extraSelections()]


def tints(view: QTextEdit) -> list[str]:
    return [mark.format.background().color().name() for mark in view.extraSelections()]


def make_views(qtbot: QtBot) -> tuple[QTextEdit, QTextEdit, ChangeMarks]:
    views = QTextEdit(), QTextEdit()
    for view, text in zip(views, (TEXT, BETTER), strict=True):
        qtbot.addWidget(view)
        view.setPlainText(text)
    marks = ChangeMarks(*views, views[0])
    marks.show(TEXT, BETTER, changes(TEXT, BETTER))
    return *views, marks


def test_both_sides_of_a_change_are_marked(qtbot: QtBot) -> None:
    source, result, marks = make_views(qtbot)
    assert marked(source) == ["recieve", "the ", "哪"]
    assert marked(result) == ["receive", ", then", "那"]
    assert all(mark.format.fontStrikeOut() for mark in source.extraSelections())
    assert all(mark.format.fontUnderline() for mark in result.extraSelections())
    marks.show(TEXT, BETTER, ())
    assert marked(source) == marked(result) == []


def test_a_text_that_was_edited_loses_its_marks(qtbot: QtBot) -> None:
    source, result, _ = make_views(qtbot)
    source.setPlainText(TEXT.replace("Did", "Has"))
    assert marked(source) == []
    assert marked(result) == ["receive", ", then", "那"]
    source.setPlainText(TEXT)
    assert marked(source) == ["recieve", "the ", "哪"]


def test_marks_follow_the_theme(qtbot: QtBot, driver: Driver) -> None:
    source, _, _ = make_views(qtbot)
    before = tints(source)
    theme.manager().apply("dark")
    assert tints(source) != before


def test_a_rewritten_text_stands_beside_its_source_and_replaces_it(writer: Driver) -> None:
    writer.editor.load_text("One came to 12.\n\n- Two came.")
    writer.click("assistant.mode.rewrite")
    source = writer.find("assistant.source", QTextEdit)
    writer.until(lambda: source.toPlainText() == writer.editor.plain_text())
    compare = writer.find("assistant.compare")
    assert compare.isVisible()
    assert "REWRITTEN" in [label.text() for label in compare.findChildren(QLabel)]
    writer.click("assistant.option.rewrite.style.simplify")
    assert writer.window.panel.options() == {"style": "simplify"}
    writer.generate()
    result = writer.find("assistant.result", QTextEdit).toPlainText()
    assert result.count("\n") == 2
    assert "12" in result
    writer.click("assistant.replace")
    assert writer.editor.plain_text() == result
    writer.click("assistant.mode.translate")
    assert "TRANSLATION" in [label.text() for label in compare.findChildren(QLabel)]
    assert writer.find("assistant.mode.rewrite", QPushButton).isVisible()


def test_a_right_text_is_told_to_be_right(writer: Driver) -> None:
    writer.editor.load_text("12 + 30 = 42")
    writer.click("assistant.mode.rewrite")
    writer.generate()
    assert writer.said[-1] == "The model found nothing to change."
