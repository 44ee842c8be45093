"""Summaries and translations in the real window: source, card, insert, replace, side by side."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QPushButton, QTextEdit

from tests.ui.window_driver import Driver

TEXT = "The ferry carried passengers. Ten years later the bridge had taken nearly all of them."


def card(driver: Driver) -> str:
    return driver.find("assistant.result", QTextEdit).toPlainText()


def summarize(driver: Driver) -> str:
    driver.click("assistant.mode.summarize")
    driver.find("assistant.sampling.show", QPushButton).click()
    driver.click("assistant.preset.creative")
    driver.generate()
    return card(driver)


def test_a_pasted_text_is_summarized_and_inserted_as_one_step(writer: Driver) -> None:
    writer.click("assistant.mode.summarize")
    writer.click("assistant.source_kind.pasted")
    source = writer.find("assistant.source", QTextEdit)
    assert source.isVisible()
    source.setPlainText(TEXT)
    summary = summarize(writer)
    assert summary
    writer.click("assistant.insert")
    assert writer.editor.plain_text() == "The lighthouse keeper wrote" + summary
    writer.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert writer.editor.plain_text() == "The lighthouse keeper wrote"
    assert not writer.find("assistant.replace", QPushButton).isEnabled()


def test_a_selection_is_the_source_and_can_be_replaced_after_edits(writer: Driver) -> None:
    writer.editor.load_text(f"First. {TEXT} Last.")
    cursor = writer.editor.textCursor()
    cursor.setPosition(len("First. "))
    cursor.setPosition(len(f"First. {TEXT}"), QTextCursor.MoveMode.KeepAnchor)
    writer.editor.setTextCursor(cursor)
    summary = summarize(writer)
    assert summary
    writer.key(Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    writer.type("Zero. ")
    writer.click("assistant.replace")
    assert writer.editor.plain_text() == f"Zero. First. {summary} Last."
    writer.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert writer.editor.plain_text() == f"Zero. First. {TEXT} Last."


def test_the_whole_document_is_the_source_without_a_selection(writer: Driver) -> None:
    writer.editor.load_text(TEXT)
    summary = summarize(writer)
    assert "Whole document · 15 words" in writer.label("assistant.source_info")
    writer.click("assistant.copy")
    assert QApplication.clipboard().text() == summary
    writer.click("assistant.result_retry")
    writer.idle()
    assert card(writer)


def test_a_translation_stands_beside_its_source(writer: Driver) -> None:
    writer.editor.load_text(TEXT)
    writer.click("assistant.mode.translate")
    source = writer.find("assistant.source", QTextEdit)
    writer.until(lambda: source.toPlainText() == TEXT)
    assert writer.find("assistant.compare").isVisible()
    assert source.isReadOnly()
    writer.find("assistant.option.translate.source").setCurrentIndex(1)
    writer.generate()
    result = writer.find("assistant.result", QTextEdit)
    assert result.isVisible()
    assert (
        result.mapToGlobal(result.rect().topLeft()).x()
        > source.mapToGlobal(source.rect().topRight()).x()
    )
    writer.click("assistant.compare.close")
    assert not source.isVisible()


def test_each_mode_keeps_its_result(writer: Driver) -> None:
    writer.editor.load_text(TEXT)
    summary = summarize(writer)
    writer.click("assistant.mode.translate")
    assert card(writer) == ""
    writer.click("assistant.mode.continue")
    writer.click("assistant.mode.summarize")
    assert card(writer) == summary


def test_nothing_to_summarize_is_said_and_not_run(writer: Driver) -> None:
    writer.editor.load_text("")
    writer.click("assistant.mode.summarize")
    writer.click("assistant.generate")
    assert writer.said == ["There is no text yet."]
    assert not writer.window.assistant.busy


def test_the_pasted_text_survives_a_look_at_the_document(writer: Driver) -> None:
    writer.click("assistant.mode.translate")
    writer.click("assistant.source_kind.pasted")
    source = writer.find("assistant.source", QTextEdit)
    source.setPlainText(TEXT)
    writer.click("assistant.source_kind.document")
    assert source.toPlainText() == "The lighthouse keeper wrote"
    writer.click("assistant.source_kind.pasted")
    assert source.toPlainText() == TEXT
    assert not source.isReadOnly()
