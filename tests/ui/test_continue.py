"""Continue in the real window with a real model: stream, accept, undo, versions, tabs, stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QSpinBox

from tests.ui.window_driver import Driver

CTRL = Qt.KeyboardModifier.ControlModifier
BEGUN = "The lighthouse keeper wrote"


def test_text_comes_provisional_tab_accepts_it_and_one_undo_takes_it_back(writer: Driver) -> None:
    writer.key(Qt.Key.Key_Return, CTRL)
    writer.idle()
    text = writer.editor.provisional_text
    assert text
    assert writer.editor.plain_text() == BEGUN
    writer.key(Qt.Key.Key_Tab)
    assert writer.editor.plain_text() == BEGUN + text
    writer.key(Qt.Key.Key_Z, CTRL)
    assert writer.editor.plain_text() == BEGUN
    writer.key(Qt.Key.Key_Y, CTRL)
    assert writer.editor.plain_text() == BEGUN + text
    assert writer.said == []


def test_the_button_accepts_too_and_versions_can_be_leafed_through(writer: Driver) -> None:
    writer.generate()
    first = writer.editor.provisional_text
    assert writer.label("assistant.position") == "1 / 1"
    writer.click("assistant.retry")
    writer.idle()
    second = writer.editor.provisional_text
    assert second
    assert second != first
    assert writer.label("assistant.position") == "2 / 2"
    writer.click("assistant.previous")
    assert writer.editor.provisional_text == first
    writer.click("assistant.next")
    assert writer.editor.provisional_text == second
    writer.click("assistant.accept")
    assert writer.editor.plain_text() == BEGUN + second
    assert not writer.find("assistant.retry", QPushButton).isEnabled()


def test_after_a_click_on_generate_tab_accepts(writer: Driver) -> None:
    writer.generate()
    text = writer.editor.provisional_text
    QTest.keyClick(writer.window.focusWidget(), Qt.Key.Key_Tab)
    assert writer.editor.plain_text() == BEGUN + text


def test_generate_again_accepts_and_goes_on_from_there(writer: Driver) -> None:
    writer.generate()
    first = writer.editor.provisional_text
    writer.generate()
    assert writer.editor.plain_text() == BEGUN + first
    assert writer.editor.provisional_text


def test_the_same_seed_writes_the_same_text(writer: Driver) -> None:
    writer.generate()
    first = writer.editor.provisional_text
    writer.editor.discard_provisional()
    writer.generate()
    assert writer.editor.provisional_text == first


def long_run(writer: Driver) -> None:
    """Start a run that does not end by itself soon."""
    writer.find("assistant.sampling.max_new_tokens", QSpinBox).setValue(400)
    writer.find("assistant.option.continue.length.page", QPushButton).click()
    writer.click("assistant.generate")
    writer.until(lambda: writer.editor.has_provisional)


def test_stop_keeps_what_came(writer: Driver) -> None:
    long_run(writer)
    assert not writer.find("assistant.generate", QPushButton).isEnabled()
    writer.key(Qt.Key.Key_Escape)
    writer.idle()
    assert writer.editor.provisional_text
    assert writer.find("assistant.generate", QPushButton).isEnabled()
    writer.key(Qt.Key.Key_Escape)
    assert not writer.editor.has_provisional
    assert writer.editor.plain_text() == BEGUN


def test_esc_stops_from_the_panel_as_well(writer: Driver) -> None:
    long_run(writer)
    writer.find("assistant.stop", QPushButton).setFocus()
    writer.window.actions_["assistant.halt"].trigger()
    writer.idle()
    assert writer.editor.provisional_text


def test_tab_in_the_middle_of_a_run_takes_what_came_and_nothing_follows(writer: Driver) -> None:
    long_run(writer)
    text = writer.editor.provisional_text
    writer.key(Qt.Key.Key_Tab)
    writer.idle()
    assert writer.editor.plain_text().startswith(BEGUN + text)
    assert not writer.editor.has_provisional


def test_a_run_belongs_to_its_document(writer: Driver) -> None:
    first = writer.editor
    long_run(writer)
    writer.window.tabs.new()
    writer.type("Another text")
    writer.click("assistant.stop")
    writer.idle()
    assert writer.editor.plain_text() == "Another text"
    assert not writer.editor.has_provisional
    assert writer.label("assistant.position") == "– / –"
    writer.window.tabs.select_next(-1)
    assert writer.editor is first
    assert first.has_provisional
    assert writer.label("assistant.position") == "1 / 1"


def test_closing_the_document_of_a_run_ends_it_quietly(writer: Driver) -> None:
    writer.window.tabs.new()
    writer.type("Short lived")
    long_run(writer)
    writer.window.tabs.close_current()
    writer.idle()
    assert writer.editor.plain_text() == BEGUN
    assert writer.said == []
    writer.generate()
    assert writer.editor.has_provisional


def test_typing_elsewhere_during_a_run_is_safe(writer: Driver) -> None:
    long_run(writer)
    writer.key(Qt.Key.Key_Home, CTRL)
    writer.type("Once. ")
    writer.click("assistant.stop")
    writer.idle()
    assert writer.editor.plain_text() == "Once. " + BEGUN
    writer.click("assistant.accept")
    assert writer.editor.plain_text().startswith("Once. " + BEGUN)


def test_closing_the_window_in_the_middle_of_a_run_ends_the_thread(writer: Driver) -> None:
    long_run(writer)
    assert writer.window.close()
    assert not writer.window.worker.open_jobs


def test_provisional_text_of_a_saved_document_is_there_after_a_restart(
    writer: Driver, make_driver: Callable[[], Driver], tmp_path: Path
) -> None:
    (tmp_path / "story.md").write_text(BEGUN)
    writer.window.tabs.open(tmp_path / "story.md")
    writer.editor.moveCursor(QTextCursor.MoveOperation.End)
    writer.generate()
    text = writer.editor.provisional_text
    writer.window.tabs.close_index(0)
    assert writer.window.close()
    again = make_driver()
    again.window.resize(1280, 800)  # Qt fits a restored window into the screen, here 800 wide
    again.window.restore_documents()
    assert again.editor.plain_text() == BEGUN
    assert again.editor.provisional_text == text
    assert (tmp_path / "story.md").read_text() == BEGUN
    again.click("assistant.accept")
    assert again.editor.plain_text() == BEGUN + text


def test_without_a_model_the_window_says_so(driver: Driver) -> None:
    driver.type("Some text")
    driver.generate()
    assert driver.said == ["No model is loaded."]
    assert driver.find("message").isVisible()
    assert driver.editor.plain_text() == "Some text"
    assert not driver.editor.has_provisional
