"""The window around text and panel: memory, language, width, menus, status, unexpected errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QDialog,
    QFontComboBox,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gptdesk.settings import Settings
from gptdesk.ui import theme
from gptdesk.ui.actions import MENUS, Entry, Submenu
from gptdesk.ui.crash import ExceptionHook
from gptdesk.ui.status_bar import StatusBar
from tests.ui.window_driver import Driver


def entries() -> list[Entry]:
    found: list[Entry] = []
    for _, _, items in MENUS:
        for item in items:
            found += [item] if isinstance(item, Entry) else []
            found += item.entries if isinstance(item, Submenu) else []
    return found


def test_mode_options_sampling_panel_and_documents_come_back(
    driver: Driver, make_driver: Callable[[], Driver], tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("Some notes.\n")
    driver.window.tabs.open(tmp_path / "notes.txt")
    driver.click("assistant.mode.summarize")
    driver.click("assistant.option.summarize.form.points")
    driver.window.side.side_width = 400
    driver.window.resize(720, 600)
    driver.window.close()
    again = make_driver()
    again.window.restore_documents()
    assert again.window.panel.mode == "summarize"
    assert again.window.panel.options()["form"] == "points"
    assert again.window.side.side_width == 400
    assert again.window.size().width() == 720
    assert again.editor.plain_text() == "Some notes.\n"
    assert str(tmp_path / "notes.txt") in again.settings.get("files.recent")


def test_open_documents_are_remembered_before_any_orderly_end(
    driver: Driver, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("Some notes.\n")
    driver.settings.set("files.open", [str(tmp_path / "notes.txt")])
    driver.window.restore_documents()
    driver.window.tabs.open(tmp_path / "notes.txt")
    driver.until(lambda: Settings.load().get("files.open") == [str(tmp_path / "notes.txt")])
    driver.key(Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    driver.until(lambda: Settings.load().get("files.open") == [])


def test_broken_settings_are_told_and_do_no_harm(
    driver: Driver, make_driver: Callable[[], Driver]
) -> None:
    driver.settings.path.parent.mkdir(parents=True, exist_ok=True)
    driver.settings.path.write_text('{"version": 1, "ui.theme": "pink", "ui.window": "zz"}')
    again = make_driver()
    again.window.restore_documents()
    assert any("ui.theme" in title for title in again.said)


def test_the_language_changes_while_the_window_is_open(driver: Driver) -> None:
    driver.editor.insertPlainText("写")
    driver.window.actions_["view.language.zh_CN"].trigger()
    driver.until(lambda: driver.find("assistant.mode.continue", QPushButton).text() == "续写")
    assert driver.window.actions_.menus["file"].title() == "文件(&F)"
    assert driver.label("status.offline") == "● 离线"
    assert driver.find("documents.tabs", QTabBar).tabText(0) == "未命名 •"
    assert driver.settings.get("ui.language") == "zh_CN"
    driver.window.actions_["view.language.en"].trigger()
    driver.until(lambda: driver.find("assistant.mode.continue", QPushButton).text() == "Continue")


def test_no_english_is_left_in_the_chinese_window(driver: Driver) -> None:
    english = {
        label.text()
        for label in driver.window.findChildren(QLabel) + driver.window.findChildren(QPushButton)
        if label.text()
    }
    driver.window.actions_["view.language.zh_CN"].trigger()
    driver.until(lambda: driver.label("status.offline") == "● 离线")
    names = {"Top-p", "Top-k", "Min-p", "✕", "◂", "▸", "– / –", "▾", "▴"}
    for widget in driver.window.findChildren(QLabel) + driver.window.findChildren(QPushButton):
        text = widget.text()
        spoken = any(character.isalpha() for character in text)
        if spoken and text not in names and text in english:
            assert not text.isascii(), f"{widget.objectName()}: {text!r}"


def test_below_a_thousand_pixels_the_panel_lies_over_the_text_on_demand(driver: Driver) -> None:
    window = driver.window
    window.resize(1280, 800)
    assert window.panel.isVisible()
    window.resize(900, 700)
    assert not window.panel.isVisible()
    assert window.tabs.width() == window.side.width()
    window.actions_["view.panel"].trigger()
    assert window.panel.isVisible()
    assert window.tabs.width() == window.side.width()
    window.actions_["view.panel"].trigger()
    assert not window.panel.isVisible()
    window.resize(1280, 800)
    assert window.panel.isVisible()
    assert window.tabs.width() < window.side.width()


def test_the_theme_is_chosen_in_the_menu_and_remembered(driver: Driver) -> None:
    driver.window.actions_["view.theme.dark"].trigger()
    assert theme.colors().dark
    assert driver.settings.get("ui.theme") == "dark"
    driver.window.actions_["view.theme.light"].trigger()
    assert not theme.colors().dark


def test_every_action_does_something_and_no_two_share_a_key(driver: Driver) -> None:
    keys: dict[str, str] = {}
    for entry in entries():
        assert entry.name in driver.window.menus._handlers, entry.name
        for key in entry.keys:
            assert key not in keys, f"{key}: {entry.name} and {keys[key]}"
            keys[key] = entry.name


def test_edit_actions_act_where_the_caret_is(driver: Driver) -> None:
    driver.type("one two")
    actions = driver.window.actions_
    actions["edit.select_all"].trigger()
    actions["edit.cut"].trigger()
    assert driver.editor.plain_text() == ""
    actions["edit.undo"].trigger()
    assert driver.editor.plain_text() == "one two"
    driver.click("assistant.mode.summarize")
    driver.click("assistant.source_kind.pasted")
    driver.find("assistant.source").setFocus()
    actions["edit.paste"].trigger()
    assert driver.window.panel.source_text.pasted_text == "one two"
    actions["edit.find"].trigger()
    assert driver.window.tabs.current.find_bar.isVisible()


def test_zoom_is_remembered(driver: Driver) -> None:
    actions = driver.window.actions_
    actions["view.zoom_in"].trigger()
    assert driver.editor.font_size == 18
    assert driver.settings.get("editor.font_size") == 18
    actions["view.theme.dark"].trigger()
    actions["file.new"].trigger()
    assert driver.editor.font_size == 18
    actions["view.zoom_reset"].trigger()
    assert {view.editor.font_size for view in driver.window.tabs.views()} == {17}


def test_the_typeface_is_chosen_beside_the_text(driver: Driver) -> None:
    driver.window.actions_["view.typeface"].trigger()
    dialog = driver.find("view.typeface_dialog", QDialog)
    assert not dialog.isModal()
    chosen = dialog.findChild(QFontComboBox, "typeface.family")
    chosen.setCurrentFont(QFont("DejaVu Sans"))
    dialog.findChild(QSpinBox, "typeface.size").setValue(21)
    dialog.findChild(QSpinBox, "typeface.width").setValue(50)
    font = driver.editor.document().defaultFont()
    assert (font.families()[0], font.pixelSize()) == ("DejaVu Sans", 21)
    assert driver.settings.get("editor.font_family") == "DejaVu Sans"
    assert driver.settings.get("editor.line_width") == 50
    QTest.mouseClick(dialog.findChild(QPushButton, "typeface.default"), Qt.MouseButton.LeftButton)
    assert driver.settings.get("editor.font_family") == ""
    assert driver.editor.font_size == 17
    dialog.close()


def test_everything_that_takes_the_focus_has_a_name(driver: Driver) -> None:
    driver.window.panel.set_mode("translate")
    for widget in driver.window.findChildren(QWidget):
        interactive = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()
        if interactive and not widget.objectName().startswith("qt_"):
            named = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            assert named, f"{type(widget).__name__} {widget.objectName()!r}"


def test_tab_walks_through_the_panel(driver: Driver) -> None:
    driver.find("assistant.mode.continue", QPushButton).setFocus()
    seen: list[str] = []
    for _ in range(24):
        focused = driver.window.focusWidget()
        seen.append(focused.objectName())
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert "assistant.sampling.temperature" in seen
    assert "assistant.generate" in seen
    assert seen.index("assistant.sampling.temperature") < seen.index("assistant.generate")


@pytest.mark.parametrize(("used", "state"), [(100, ""), (434, ""), (436, "amber"), (513, "red")])
def test_the_context_bar_warns(qtbot: QtBot, used: int, state: str) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_context(used, 512)
    assert bar.findChild(QProgressBar, "status.context_bar").property("state") in (
        state or None,
        state,
    )
    assert bar.findChild(QLabel, "status.context").text() == f"{used} / 512"


def test_words_and_context_follow_the_text(writer: Driver) -> None:
    writer.until(lambda: writer.label("status.words") == "4 words")
    writer.until(lambda: writer.label("status.context").endswith(" / 512"))
    used = int(writer.label("status.context").partition(" ")[0].partition("\u00a0")[0])
    writer.type(" a letter every evening")
    writer.until(
        lambda: int(writer.label("status.context").replace("\u00a0", "").partition(" ")[0]) > used
    )


def test_the_panel_does_not_jump_when_a_run_starts(writer: Driver) -> None:
    names = ("assistant.generate", "assistant.stop", "assistant.accept", "assistant.position")

    def places() -> list[object]:
        return [writer.find(name).geometry() for name in names[:3]]

    before = places()
    writer.click("assistant.generate")
    seen = [places()]
    writer.idle()
    seen.append(places())
    assert all(place == before for place in seen)


@pytest.mark.logs_errors
def test_an_unexpected_error_is_told_and_the_window_stays(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = ExceptionHook(driver.window)
    try:
        raise ValueError("a bug")
    except ValueError as error:
        hook._on_error(type(error), error, error.__traceback__)
    assert "ValueError" in driver.said[-1]
    assert "a bug" in driver.window.messages.history[-1].details
    assert driver.window.isVisible()


def test_closing_asks_and_may_be_called_off(driver: Driver) -> None:
    from gptdesk.ui.documents.questions import Answer

    driver.type("unsaved")
    asked: list[str] = []

    def cancel(title: str) -> Answer:
        asked.append(title)
        return Answer.CANCEL

    driver.window.tabs.questions.save_changes = cancel
    assert not driver.window.close()
    assert asked == ["Untitled"]
    assert driver.window.isVisible()
    driver.window.tabs.questions.save_changes = lambda _: Answer.DISCARD


def test_a_hidden_panel_leaves_a_way_back_in_sight(driver: Driver) -> None:
    way_back = driver.find("view.show_panel", QPushButton)
    driver.window.resize(1200, 700)
    driver.until(driver.window.panel.isVisible)
    assert not way_back.isVisible()
    driver.window.resize(800, 600)
    driver.until(lambda: not driver.window.panel.isVisible())
    driver.click("view.show_panel")
    assert driver.window.panel.isVisible()
    assert not way_back.isVisible()
    driver.window.actions_["view.panel"].trigger()
    assert way_back.isVisible()
