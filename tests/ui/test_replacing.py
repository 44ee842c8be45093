"""Replace in the real window: only a whole result, and never over what was written meanwhile."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QPushButton, QTextEdit

from gptdesk.engines import fake_engine
from gptdesk.engines.fake_engine import FakeEngine
from gptdesk.errors import EngineError
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.ui.editor.raw_text import utf16_length
from tests.ui.window_driver import Driver

CTRL = Qt.KeyboardModifier.ControlModifier
TEXT = "The ferry carried passengers."
NO_BREAK = "\u00a0"
LONG = "\n".join(f"The ferry of day {day} carried passengers." for day in range(400))
CHANGED = "The text has changed since this run began, so it was not replaced."
ACTIONS = ("insert", "replace", "copy", "result_retry")


@pytest.fixture
def fast(driver: Driver, tiny_llama_dir: Path) -> Driver:
    """A window whose model is arithmetic; a run writes twelve tokens at a time."""
    driver.settings.set("model.engine", "fake")
    driver.load(tiny_llama_dir)
    driver.window.panel.sampling.restore("custom", {"seed": 7, "max_new_tokens": 12})
    return driver


def card(driver: Driver) -> str:
    return driver.find("assistant.result", QTextEdit).toPlainText()


def offered(driver: Driver) -> list[str]:
    return [name for name in ACTIONS if action(driver, name).isEnabled()]


def action(driver: Driver, name: str) -> QPushButton:
    return driver.find(f"assistant.{name}", QPushButton)


def begin(driver: Driver, mode: str) -> None:
    driver.click(f"assistant.mode.{mode}")
    if not driver.find("assistant.preset.creative", QPushButton).isVisible():
        driver.click("assistant.sampling.show")
    driver.click("assistant.preset.creative")
    driver.click("assistant.generate")


def select(driver: Driver, start: int, end: int) -> None:
    cursor = driver.editor.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    driver.editor.setTextCursor(cursor)


def put_caret(driver: Driver, position: int) -> None:
    select(driver, position, position)


def undo(driver: Driver) -> None:
    driver.key(Qt.Key.Key_Z, CTRL)


@pytest.mark.parametrize("mode", ["rewrite", "translate"])
def test_half_a_result_is_not_offered_as_a_replacement(fast: Driver, mode: str) -> None:
    fast.editor.load_text(LONG)
    begin(fast, mode)
    fast.until(lambda: bool(card(fast)))
    fast.click("assistant.stop")
    fast.idle()
    assert card(fast).count("\n") < LONG.count("\n")
    assert offered(fast) == ["insert", "copy", "result_retry"]
    assert fast.editor.plain_text() == LONG


def test_a_stopped_rewriting_shows_what_it_changed_and_tells_what_it_left(
    driver: Driver, tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = Tokenizer.from_folder(tiny_llama_dir)
    script, (end_id, *_) = tokenizer.encode_plain("A ferry."), tokenizer.end_ids
    scripted = functools.partial(FakeEngine, script=script, end_id=end_id)
    monkeypatch.setattr(fake_engine, "FakeEngine", scripted)
    driver.settings.set("model.engine", "fake")
    driver.load(tiny_llama_dir)
    driver.editor.load_text(f"The ferry sailed.\n{LONG}")
    driver.click("assistant.mode.rewrite")
    driver.click("assistant.option.rewrite.style.simplify")
    driver.click("assistant.generate")
    driver.until(lambda: card(driver).count("\n") > 1)
    driver.click("assistant.stop")
    driver.idle()
    assert card(driver).startswith("A ferry.\nThe ferry of day 0 carried")
    marks = driver.find("assistant.result", QTextEdit).extraSelections()
    assert [mark.cursor.selectedText() for mark in marks] == ["A"]
    assert "kept as it was" in driver.said[-1]


def test_what_came_before_a_failure_is_not_offered_either(
    fast: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = FakeEngine.extend, itertools.count()

    def fails_later(self: FakeEngine, ids: Sequence[int], **settings: int) -> Any:
        if next(calls) == 60:  # lines later: an answer has twelve tokens
            raise EngineError("The device was lost.")
        return whole(self, ids, **settings)

    monkeypatch.setattr(FakeEngine, "extend", fails_later)
    fast.editor.load_text(LONG)
    begin(fast, "rewrite")
    fast.idle()
    assert fast.said == ["The device was lost."]
    assert card(fast)
    assert offered(fast) == ["insert", "copy", "result_retry"]


def test_a_whole_result_replaces_the_document_as_one_step(fast: Driver) -> None:
    fast.editor.load_text(TEXT)
    begin(fast, "summarize")
    fast.idle()
    fast.click("assistant.replace")
    assert fast.editor.plain_text() == card(fast) != TEXT
    undo(fast)
    assert fast.editor.plain_text() == TEXT
    assert fast.said == []


def test_what_is_typed_in_the_document_during_a_run_survives(fast: Driver) -> None:
    fast.editor.load_text(TEXT)
    begin(fast, "summarize")
    put_caret(fast, len(TEXT))
    fast.type(" Then")
    fast.idle()
    fast.click("assistant.replace")
    assert fast.editor.plain_text() == f"{TEXT} Then"
    assert fast.said == [CHANGED]
    assert fast.find("message").isVisible()
    assert offered(fast) == list(ACTIONS)
    undo(fast)
    assert fast.editor.plain_text() == TEXT
    fast.click("assistant.replace")
    assert fast.editor.plain_text() == card(fast)


def test_what_is_typed_in_the_selection_during_a_run_survives(fast: Driver) -> None:
    fast.editor.load_text(f"First. {TEXT} Last.")
    select(fast, len("First. "), len(f"First. {TEXT}"))
    begin(fast, "summarize")
    put_caret(fast, len("First. The"))
    fast.type(" old")
    fast.idle()
    text = fast.editor.plain_text()
    assert text.startswith("First. The old ferry")
    fast.click("assistant.replace")
    assert fast.editor.plain_text() == text
    assert fast.said == [CHANGED]


def test_what_is_typed_at_the_ends_of_the_selection_stays_beside_the_result(fast: Driver) -> None:
    fast.editor.load_text(f"🚤 First. {TEXT} Last.")
    start = utf16_length("🚤 First. ")
    end = start + len(TEXT)
    select(fast, end, start)
    begin(fast, "summarize")
    put_caret(fast, end)
    fast.type(" Again.")
    put_caret(fast, start)
    fast.type("Now: ")
    select(fast, start + 5, start + 8)
    fast.key(Qt.Key.Key_Delete)
    undo(fast)
    fast.idle()
    text = fast.editor.plain_text()
    assert text == f"🚤 First. Now: {TEXT} Again. Last."
    fast.click("assistant.replace")
    assert fast.editor.plain_text() == f"🚤 First. Now: {card(fast)} Again. Last."
    undo(fast)
    assert fast.editor.plain_text() == text
    assert fast.said == []


@pytest.mark.parametrize("selected", [False, True])
def test_the_next_version_replaces_the_one_before(fast: Driver, selected: bool) -> None:
    fast.editor.load_text(TEXT)
    select(fast, 0, len(TEXT) * selected)
    begin(fast, "summarize")
    fast.idle()
    first = card(fast)
    fast.click("assistant.replace")
    fast.click("assistant.result_retry")
    fast.idle()
    assert card(fast) != first
    fast.click("assistant.replace")
    assert fast.editor.plain_text() == card(fast)
    undo(fast)
    assert fast.editor.plain_text() == first
    assert fast.said == []


def test_no_break_spaces_come_back_as_such(fast: Driver) -> None:
    fast.editor.load_text(f"12{NO_BREAK}+{NO_BREAK}30 = 42")
    begin(fast, "rewrite")
    fast.idle()
    fast.click("assistant.replace")
    fast.click("assistant.copy")
    assert fast.editor.plain_text() == f"12{NO_BREAK}+{NO_BREAK}30 = 42"
    assert QApplication.clipboard().text() == fast.editor.plain_text()
