"""Unsaved text survives a kill, whatever state it is in."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gptdesk import atomic, paths
from gptdesk.ui.documents.questions import Answer
from tests.ui.documents.conftest import Tabs

WRITER = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from gptdesk.ui.documents import DocumentTabs

app = QApplication([])
tabs = DocumentTabs()
tabs.show()
tabs.open(sys.argv[1])
tabs.new()
editor = tabs.current.editor
QTest.keyClicks(editor, "Once upon a time ")
editor.begin_provisional()
editor.append_provisional("there was a stair.")
first = tabs.views()[0].editor
typed = 0

def type_on():
    global typed
    QTest.keyClicks(first, "x")
    typed += 1
    print(typed, flush=True)

timer = QTimer()
timer.timeout.connect(type_on)
timer.start(20)
app.exec()
"""


def entries() -> list[Path]:
    return list(paths.journal_dir().glob("*/*.json"))


def test_a_kill_while_typing_costs_two_seconds_at_most(
    tmp_path: Path, make_tabs: Callable[[], Tabs]
) -> None:
    note = tmp_path / "note.md"
    note.write_text("|end")
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(note)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    times: list[float] = []
    for _line in child.stdout:
        times.append(time.monotonic())
        if times[-1] - times[0] > 3:
            break
    child.send_signal(signal.SIGKILL)
    child.communicate()

    tabs = make_tabs()
    tabs.restore_session([str(note)])
    by_title = {view.title: view for view in tabs.views()}
    restored = by_title["note.md"].editor.plain_text()
    kept = restored.index("|")
    assert restored == "x" * kept + "|end"
    assert times[-1] - times[kept - 1] < 2
    assert by_title["note.md"].modified
    assert note.read_text() == "|end"
    untitled = next(view for view in tabs.views() if view.path is None).editor
    assert untitled.plain_text() == "Once upon a time "
    assert untitled.provisional_text == "there was a stair."
    assert len(tabs.notices) == 1
    untitled.accept_provisional()
    assert untitled.plain_text() == "Once upon a time there was a stair."


def test_saving_and_closing_clear_the_journal(tabs: Tabs, tmp_path: Path, qtbot: QtBot) -> None:
    QTest.keyClicks(tabs.current.editor, "text")
    qtbot.waitUntil(lambda: len(entries()) == 1)
    tabs.questions.answers = [tmp_path / "a.md"]
    tabs.save()
    qtbot.waitUntil(lambda: not entries())
    tabs.new()
    QTest.keyClicks(tabs.current.editor, "more")
    qtbot.waitUntil(lambda: len(entries()) == 1)
    tabs.questions.answers = [Answer.DISCARD]
    tabs.close_current()
    qtbot.waitUntil(lambda: not entries())


def test_an_orderly_end_leaves_nothing(tabs: Tabs, qtbot: QtBot) -> None:
    QTest.keyClicks(tabs.current.editor, "text")
    qtbot.waitUntil(lambda: len(entries()) == 1)
    tabs.questions.answers = [Answer.DISCARD]
    assert tabs.prepare_quit()
    tabs.shut_down()
    assert list(paths.journal_dir().iterdir()) == []


def test_an_end_without_questions_keeps_everything(
    make_tabs: Callable[[], Tabs], tmp_path: Path
) -> None:
    note = tmp_path / "note.md"
    note.write_bytes(b"old\r\n")
    tabs = make_tabs()
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "new ")
    tabs.shut_down()
    again = make_tabs()
    again.restore_session([])
    assert again.current.title == "note.md"
    assert again.current.editor.plain_text() == "new old\n"
    assert again.current.cursor_position == 4
    assert again.save()
    assert note.read_bytes() == b"new old\r\n"


def test_text_brought_back_asks_before_it_overwrites_a_newer_file(
    make_tabs: Callable[[], Tabs], tmp_path: Path
) -> None:
    note = tmp_path / "note.md"
    note.write_text("old")
    tabs = make_tabs()
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "mine ")
    tabs.shut_down()
    note.write_text("newer")
    again = make_tabs()
    again.restore_session([str(note)])
    assert len(again.views()) == 1
    again.questions.answers = [Answer.CANCEL]
    assert not again.save()
    assert note.read_text() == "newer"
    assert again.current.editor.plain_text() == "mine old"


def test_a_death_between_saving_and_tidying_up_brings_nothing_back(
    make_tabs: Callable[[], Tabs], tmp_path: Path
) -> None:
    note = tmp_path / "note.md"
    note.write_text("old")
    tabs = make_tabs()
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "new ")
    tabs.shut_down()
    note.write_text("new old")
    again = make_tabs()
    again.restore_session([str(note)])
    assert (again.current.modified, again.notices) == (False, [])
    again.shut_down()
    assert entries() == []


def test_provisional_text_of_a_saved_document_waits_for_the_next_start(
    make_tabs: Callable[[], Tabs], tmp_path: Path
) -> None:
    note = tmp_path / "note.md"
    note.write_text("One. Three.")
    tabs = make_tabs()
    tabs.open(note)
    tabs.current.place_cursor(4)
    tabs.current.editor.begin_provisional()
    tabs.current.editor.append_provisional(" Two.")
    assert tabs.prepare_quit()
    tabs.shut_down()
    again = make_tabs()
    again.restore_session([str(note)])
    assert not again.current.modified
    again.current.editor.accept_provisional()
    assert again.current.editor.plain_text() == "One. Two. Three."


def test_a_damaged_entry_is_reported_and_kept(make_tabs: Callable[[], Tabs]) -> None:
    dead = paths.journal_dir() / "1-dead"
    dead.mkdir(parents=True)
    (dead / "a.json").write_text("{")
    tabs = make_tabs()
    tabs.restore_session([])
    assert [str(paths.journal_dir() / "damaged") in tabs.problems[0].hint] == [True]


def test_a_journal_that_cannot_be_written_is_said_once(
    tabs: Tabs, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    for _ in range(3):
        QTest.keyClicks(tabs.current.editor, "text")
        tabs._journal.flush()
        qtbot.wait(50)
    assert len(tabs.problems) == 1


def test_a_journal_without_a_folder_is_a_problem_not_a_crash(
    make_tabs: Callable[[], Tabs],
) -> None:
    paths.data_dir().mkdir(parents=True)
    paths.journal_dir().write_text("a file where the folder should be")
    tabs = make_tabs()
    tabs.restore_session([])
    assert len(tabs.problems) == 1
    QTest.keyClicks(tabs.current.editor, "text")
    tabs._journal.flush()
    assert tabs.current.editor.plain_text() == "text"
