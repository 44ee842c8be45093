"""Tabs: files come and go, and no way of closing one loses text."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton, QTabBar

from gptdesk.ui.documents.questions import Answer, Questions
from tests.ui.documents.conftest import Tabs


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_bytes(b"# Note\r\nOne.\r\n")
    return path


def titles(tabs: Tabs) -> list[str]:
    bar = tabs.findChild(QTabBar)
    return [bar.tabText(index) for index in range(bar.count())]


def test_a_file_takes_the_place_of_an_untouched_document(tabs: Tabs, note: Path) -> None:
    assert titles(tabs) == ["Untitled"]
    tabs.open(note)
    assert titles(tabs) == ["note.md"]
    assert tabs.current.editor.plain_text() == "# Note\nOne.\n"
    assert tabs.open_paths() == [str(note)]


def test_saving_keeps_line_ends_and_clears_the_mark(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "x")
    assert titles(tabs) == ["note.md •"]
    assert tabs.save()
    assert note.read_bytes() == b"x# Note\r\nOne.\r\n"
    assert titles(tabs) == ["note.md"]
    tabs.current.editor.undo()
    assert titles(tabs) == ["note.md •"]


def test_only_accepted_text_is_saved(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    tabs.current.editor.begin_provisional()
    tabs.current.editor.append_provisional("not yet")
    tabs.save()
    assert note.read_bytes() == b"# Note\r\nOne.\r\n"
    assert tabs.current.editor.provisional_text == "not yet"


def test_opening_a_file_twice_brings_its_tab_to_the_front(tabs: Tabs, note: Path) -> None:
    first = tabs.open(note)
    tabs.new()
    link = note.with_name("link.md")
    link.symlink_to(note)
    assert tabs.open(link) is first
    assert tabs.current is first
    assert len(tabs.views()) == 2


def test_untitled_documents_ask_where_to_be_saved(tabs: Tabs, tmp_path: Path) -> None:
    QTest.keyClicks(tabs.current.editor, "text")
    tabs.questions.answers = [None, tmp_path / "new.md"]
    assert not tabs.save()
    assert titles(tabs) == ["Untitled •"]
    assert tabs.save()
    assert (tmp_path / "new.md").read_text() == "text"
    assert titles(tabs) == ["new.md"]


@pytest.mark.parametrize(
    ("answer", "closes", "saved"),
    [(Answer.SAVE, True, True), (Answer.DISCARD, True, False), (Answer.CANCEL, False, False)],
)
def test_closing_a_modified_document_asks(
    tabs: Tabs, note: Path, answer: Answer, closes: bool, saved: bool
) -> None:
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "x")
    tabs.questions.answers = [answer]
    assert tabs.close_current() is closes
    assert tabs.questions.asked == ["save changes note.md"]
    assert note.read_bytes().startswith(b"x") is saved
    assert titles(tabs) == (["Untitled"] if closes else ["note.md •"])


def test_quitting_asks_for_each_modified_document_and_can_be_called_off(
    tabs: Tabs, note: Path
) -> None:
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "x")
    tabs.new()
    QTest.keyClicks(tabs.current.editor, "y")
    tabs.questions.answers = [Answer.SAVE, Answer.CANCEL]
    assert not tabs.prepare_quit()
    assert len(tabs.views()) == 2
    tabs.questions.answers = [Answer.DISCARD]
    assert tabs.prepare_quit()


def test_a_file_that_cannot_be_opened_is_a_problem_and_nothing_more(
    tabs: Tabs, tmp_path: Path
) -> None:
    binary = tmp_path / "a.bin"
    binary.write_bytes(b"\0")
    assert tabs.open(binary) is None
    assert [problem.title.endswith("binary file, not text.") for problem in tabs.problems] == [True]
    assert titles(tabs) == ["Untitled"]


def test_a_file_that_cannot_be_saved_stays_modified(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "x")
    note.chmod(0o444)
    assert not tabs.save()
    assert len(tabs.problems) == 1
    assert titles(tabs) == ["note.md •"]
    assert tabs.current.editor.plain_text() == "x# Note\nOne.\n"


def test_text_beyond_the_old_encoding_asks_for_utf8(tabs: Tabs, tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes("größer".encode("cp1252"))
    tabs.open(path)
    tabs.current.editor.insert_result("潮")
    tabs.questions.answers = [Answer.CANCEL, Answer.UTF8]
    assert not tabs.save()
    assert path.read_bytes() == "größer".encode("cp1252")
    assert tabs.save()
    assert path.read_bytes() == "潮größer".encode()


def test_a_change_on_disk_is_loaded_as_one_step_of_undo(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    note.write_text("New.")
    tabs.check_files()
    assert tabs.current.editor.plain_text() == "New."
    assert titles(tabs) == ["note.md"]
    assert tabs.notices == ["note.md was loaded again."]
    tabs.current.editor.undo()
    assert tabs.current.editor.plain_text() == "# Note\nOne.\n"


def test_a_file_that_vanishes_leaves_its_text_unsaved_not_lost(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    note.unlink()
    tabs.questions.answers = [Answer.SAVE]
    assert tabs.close_current()
    assert tabs.questions.asked == ["save changes note.md"]
    assert note.read_bytes() == b"# Note\r\nOne.\r\n"
    assert tabs.notices == ["note.md is no longer on the disk."]


@pytest.mark.parametrize("answer", [Answer.OVERWRITE, Answer.RELOAD, Answer.CANCEL])
def test_a_change_on_disk_of_a_modified_document_asks(
    tabs: Tabs, note: Path, answer: Answer
) -> None:
    tabs.open(note)
    QTest.keyClicks(tabs.current.editor, "x")
    note.write_text("New.")
    tabs.questions.answers = [answer]
    assert tabs.save() is (answer == Answer.OVERWRITE)
    assert tabs.questions.asked == ["changed note.md"]
    expected = "x# Note\r\nOne.\r\n" if answer == Answer.OVERWRITE else "New."
    assert note.read_bytes().decode() == expected
    if answer == Answer.RELOAD:
        tabs.current.editor.undo()
    assert tabs.current.editor.plain_text() == "x# Note\nOne.\n"


def test_a_file_opens_where_the_caret_was_left(tabs: Tabs, note: Path) -> None:
    view = tabs.open(note)
    assert view is not None
    view.place_cursor(9)
    tabs.close_current()
    again = tabs.open(note)
    assert again is not None
    assert again.cursor_position == 9


def test_dropped_files_open(tabs: Tabs, note: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(note))])
    drop = QDropEvent(
        QPointF(400, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    tabs.dropEvent(drop)
    assert tabs.open_paths() == [str(note)]


def test_a_session_comes_back_without_files_that_are_gone(tabs: Tabs, note: Path) -> None:
    tabs.restore_session([str(note), str(note.with_name("gone.md"))])
    assert tabs.open_paths() == [str(note)]
    assert tabs.notices == ["gone.md is no longer there."]


def test_tabs_move_with_their_documents(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    tabs.new()
    bar = tabs.findChild(QTabBar)
    bar.moveTab(0, 1)
    assert titles(tabs) == ["Untitled", "note.md"]
    assert [view.title for view in tabs.views()] == ["Untitled", "note.md"]
    tabs.select_next()
    assert tabs.current.title == bar.tabText(bar.currentIndex())


def test_the_cross_of_a_tab_closes_it(tabs: Tabs, note: Path) -> None:
    tabs.open(note)
    tabs.new()
    bar = tabs.findChild(QTabBar)
    cross = bar.tabButton(0, QTabBar.ButtonPosition.RightSide)
    QTest.mouseClick(cross, Qt.MouseButton.LeftButton, pos=QPoint(3, 3))
    assert titles(tabs) == ["Untitled"]


@pytest.mark.parametrize(
    ("label", "answer"),
    [("Save", Answer.SAVE), ("Don’t Save", Answer.DISCARD), ("Cancel", Answer.CANCEL)],
)
def test_the_real_question_means_what_its_buttons_say(
    tabs: Tabs, qtbot, label: str, answer: Answer
) -> None:
    def press() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        next(b for b in box.findChildren(QPushButton) if b.text() == label).click()

    QTimer.singleShot(0, press)
    assert Questions(tabs).save_changes("a.md") == answer


def test_a_file_opens_beside_another_whatever_it_holds(
    tabs: Tabs, note: Path, tmp_path: Path
) -> None:
    tabs.open(note)
    path = tmp_path / "marks.md"
    path.write_text("# A heading\n\n**strong** _slanted_ `code`\n> quoted\n")
    tabs.open(path)
    assert tabs.current.path == path
    assert tabs.editor.plain_text() == path.read_text()
