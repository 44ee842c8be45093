"""Markdown marks of one paragraph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.ui.editor.markdown import MAX_LENGTH, marks


def spans(text: str) -> list[tuple[str, str]]:
    return [(mark.kind, text[mark.start : mark.start + mark.length]) for mark in marks(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", []),
        ("# Low water", [("heading1", "# Low water"), ("muted", "#")]),
        ("#no heading", []),
        ("- item", [("muted", "-")]),
        ("12. item", [("muted", "12.")]),
        ("> said", [("quote", "> said"), ("muted", ">")]),
        ("---", [("muted", "---")]),
        ("a **b** c", [("strong", "**b**"), ("muted", "**"), ("muted", "**")]),
        ("an *em* word", [("emphasis", "*em*"), ("muted", "*"), ("muted", "*")]),
        ("snake_case_name and 2 * 3 * 4", []),
        ("`code *x*`", [("code", "`code *x*`"), ("muted", "`"), ("muted", "`")]),
        ("**open", []),
    ],
)
def test_marks(text: str, expected: list[tuple[str, str]]) -> None:
    assert spans(text) == expected


@given(st.text("#*_`> -.1ab\t😀", max_size=60))
def test_marks_lie_within_the_paragraph(text: str) -> None:
    for mark in marks(text):
        assert mark.start >= 0
        assert mark.length > 0
        assert mark.start + mark.length <= len(text)


@pytest.mark.parametrize("piece", ["*a", "**", "_ ", "`", "> ", "- - "])
def test_hostile_paragraphs_take_no_time(piece: str) -> None:
    marks(piece * (MAX_LENGTH // len(piece)))
