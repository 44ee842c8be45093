"""Taking lines apart loses nothing and finds what has to stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.tasks.markup import fragments, lines

ANY_TEXT = st.text(alphabet="ab灯1 \t\n\r\u2028-#>.*`[](){}|<>:/@%&~x", max_size=80)


@given(ANY_TEXT)
def test_lines_put_together_are_the_text(text: str) -> None:
    found = list(lines(text))
    joined = "".join(line.marker + line.body + line.tail + line.line_break for line in found)
    assert joined == text
    assert all(text[line.start : line.end] == line.marker + line.body + line.tail for line in found)


@given(ANY_TEXT)
def test_fragments_put_together_are_the_line(text: str) -> None:
    assert "".join(fragment.text for fragment in fragments(text)) == text


@pytest.mark.parametrize(
    ("line", "marker"),
    [
        ("  - item", "  - "),
        ("12. item", "12. "),
        ("3.5 million", ""),
        ("1962. It was", ""),
        ("## Title", "## "),
        ("> > quoted", "> > "),
        ("- [ ] task", "- [ ] "),
        ("（一）甲", ""),
        ("1、甲", "1、"),
        ("\u3000\u3000灯塔", "\u3000\u3000"),
        ("-5 degrees it was", ""),
    ],
)
def test_markers(line: str, marker: str) -> None:
    assert next(lines(line)).marker == marker


@pytest.mark.parametrize(
    "literal",
    [
        "https://example.org/a(b)?c=1#d",
        "www.example.org/x",
        "first.last@mail.example.org",
        "`let x = 1`",
        "{user_name}",
        "{{ user }}",
        "${HOME}",
        "%(count)s",
        "%s",
        "<br/>",
        "</b>",
        "<https://example.org>",
        "&nbsp;",
        "[^1]",
    ],
)
def test_literals_are_cut_out(literal: str) -> None:
    found = [fragment.text for fragment in fragments(f"see {literal} now") if fragment.literal]
    assert found == [literal]


def test_an_address_ends_before_the_full_stop_and_before_chinese() -> None:
    text = "见https://example.org/a。Or https://example.org/b. Or (https://example.org/c), yes"
    found = [fragment.text for fragment in fragments(text) if fragment.literal]
    assert found == [f"https://example.org/{name}" for name in "abc"]


def test_both_ends_of_a_link_are_kept_and_its_words_translated() -> None:
    found = fragments("see [the notes](https://example.org/n) now")
    assert [(f.text, f.literal) for f in found] == [
        ("see ", False),
        ("[", True),
        ("the notes", False),
        ("](https://example.org/n)", True),
        (" now", False),
    ]


@pytest.mark.parametrize("unit", ["a", "[", "{", "`", "<a", "](", " ", "1,", "%(a", "a.", "&", "~"])
def test_hostile_lines_take_linear_time(unit: str) -> None:
    text = unit * 40_000
    assert "".join(fragment.text for fragment in fragments(text)) == text
