"""The page: where text stands, that clicks meet it, and that heights add up after any edit."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gptdesk.ui.editor.heights import BlockHeights
from gptdesk.ui.editor.metrics import PageMetrics
from gptdesk.ui.editor.text_edit import TextEdit

PARAGRAPH = "The tide had gone out further than anyone in the village could remember. " * 6
CHINESE = "潮水退得比村里任何人记得的都要远，港湾像一只拉开的抽屉。" * 8


def put_caret(editor: TextEdit, position: int) -> None:
    cursor = editor.textCursor()
    cursor.setPosition(position)
    editor.setTextCursor(cursor)


@pytest.mark.parametrize("width", [400, 905, 1900])
def test_the_column_is_centred_and_neither_wide_nor_narrow(editor: TextEdit, width: int) -> None:
    editor.load_text(PARAGRAPH)
    editor.resize(width, 700)
    editor.grab()
    left, column = editor._page.column
    page = editor.viewport().width()
    assert abs(2 * left + column - page) <= 2
    lines = editor.document().firstBlock().layout()
    longest = max(lines.lineAt(n).textLength() for n in range(lines.lineCount()))
    assert longest <= 90
    if width > 800:
        assert longest >= 62


def test_line_pitch_is_even_and_cjk_has_more(editor: TextEdit) -> None:
    editor.load_text(f"{PARAGRAPH}\n{CHINESE}")
    editor.grab()
    pitches = []
    for block in (editor.document().firstBlock(), editor.document().lastBlock()):
        layout = block.layout()
        lines = [layout.lineAt(number) for number in range(layout.lineCount())]
        baselines = [line.y() + line.ascent() for line in lines]
        steps = [following - line for line, following in pairwise(baselines)]
        assert max(steps) - min(steps) < 0.05  # Qt places lines to a 64th of a pixel
        pitches.append(steps[0])
    height = PageMetrics.of(editor.document().defaultFont(), 68).height
    assert pitches == pytest.approx([1.36 * height, 1.5 * height], rel=1e-3)


@pytest.mark.parametrize("text", [PARAGRAPH, CHINESE, "שלום עולם " * 40, "a😀b " * 60])
@pytest.mark.parametrize(
    "ghost", ["", " It went down.\n\nEach step was worn", "台阶向下延伸，" * 20]
)
def test_a_click_meets_the_character_under_it(editor: TextEdit, text: str, ghost: str) -> None:
    editor.load_text(f"# Title\n{text}\nlast")
    put_caret(editor, 60)
    if ghost:
        editor.begin_provisional()
        editor.append_provisional(ghost)
    cursor = QTextCursor(editor.document())
    for position in range(0, editor.document().characterCount(), 3):
        cursor.setPosition(position)
        if cursor.position() == 60 or _between_surrogates(editor, cursor.position()):
            continue
        point = editor.cursorRect(cursor).center()
        found = editor.cursorForPosition(point).position()
        assert abs(found - cursor.position()) <= 1


def test_up_and_down_walk_through_the_lines(editor: TextEdit) -> None:
    editor.load_text(f"{PARAGRAPH}\n{PARAGRAPH}")
    put_caret(editor, 40)
    editor.begin_provisional()
    editor.append_provisional(" It went down. " * 20)
    put_caret(editor, 3)
    tops = [editor.cursorRect().top()]
    for _ in range(6):
        QTest.keyClick(editor, Qt.Key.Key_Down)
        tops.append(editor.cursorRect().top())
    assert tops == sorted(set(tops))


def test_estimates_become_measures_and_text_in_view_stands_still(
    editor: TextEdit, qtbot: QtBot
) -> None:
    editor.load_text("\n".join([PARAGRAPH, "short", CHINESE] * 300))
    assert not editor._page._heights.all_exact
    bar = editor.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    editor.grab()
    middle = editor.viewport().rect().center()
    before = editor.cursorForPosition(middle).position()
    qtbot.waitUntil(lambda: editor._page._heights.all_exact, timeout=20_000)
    editor.grab()
    after = editor.cursorForPosition(middle).position()
    assert abs(editor.cursorRect(_at(editor, before)).top() - middle.y()) < 80, (before, after)


def test_heights_add_up_after_random_edits(editor: TextEdit, qtbot: QtBot) -> None:
    rng = random.Random(3)
    pieces = ["word ", "\n", "\n\n# Head\n", CHINESE, PARAGRAPH, "😀"]
    for step in range(150):
        cursor = QTextCursor(editor.document())
        last = editor.document().characterCount() - 1
        cursor.setPosition(rng.randint(0, last))
        cursor.setPosition(
            min(last, cursor.position() + rng.choice([0, 0, 5, 200])),
            QTextCursor.MoveMode.KeepAnchor,
        )
        cursor.insertText(rng.choice(pieces))
        if step % 10 == 0:
            editor.undo()
    qtbot.waitUntil(lambda: editor._page._heights.all_exact)
    kept = editor._page._heights._heights[:]
    assert len(kept) == editor.document().blockCount()
    editor._page._relayout()
    qtbot.waitUntil(lambda: editor._page._heights.all_exact)
    assert kept == editor._page._heights._heights


def test_the_view_follows_streamed_text_unless_it_was_scrolled_away(editor: TextEdit) -> None:
    editor.load_text(f"{PARAGRAPH}\n" * 20)
    editor.moveCursor(QTextCursor.MoveOperation.End)
    bar = editor.verticalScrollBar()
    bar.setValue(bar.maximum())
    editor.begin_provisional()
    for _ in range(40):
        editor.append_provisional("It went down. " * 5)
    assert editor.viewport().rect().contains(editor._provisional_end())
    bar.setValue(0)
    editor.append_provisional("It went down. " * 50)
    assert bar.value() == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.integers(0, 4)), max_size=20))
def test_tops_are_sums_of_heights(edits: list[tuple[int, int, int]]) -> None:
    heights = BlockHeights(36.0)
    for first, new, gone in edits:
        size = len(heights)
        first = min(first, size - 1)
        gone = min(max(1, gone), size - first)
        heights.replace(first, new, size - gone + new, [10.0 + new] * new)
        heights.set_exact(first, 17.0 + gone)
        assert heights.is_exact(first)
        top, height = heights.span(len(heights) - 1)
        assert heights.total == top + height
        assert heights.total == 36.0 + sum(heights._heights)
        assert heights.at(heights.span(first)[0] + 1) == first


def _at(editor: TextEdit, position: int) -> QTextCursor:
    cursor = QTextCursor(editor.document())
    cursor.setPosition(position)
    return cursor


def _between_surrogates(editor: TextEdit, position: int) -> bool:
    return 0xDC00 <= ord(editor.document().characterAt(position)) <= 0xDFFF
