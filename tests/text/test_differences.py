"""What differs between two versions of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.text.differences import applied, changes, words


def test_words_are_words_characters_and_marks() -> None:
    assert words("It's  on U_2,\n灯塔a1!") == ["It", "'", "s", "on", "U", "_", "2", ",", "灯", "塔", "a1", "!"]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("She go home.", "She goes home.", [("go", "goes")]),
        ("in house", "in the house", [("", "the ")]),
        ("in the the house", "in the house", [("the ", "")]),
        ("It ended", "It ended.", [("", ".")]),
        ("ten years .", "ten years.", [(" ", "")]),
        ("他门在哪里", "他们在那里", [("门", "们"), ("哪", "那")]),
        ("a b", "c d", [("a b", "c d")]),
        ("the same", "the same", []),
        ("", "all", [("", "all")]),
    ],
)
def test_changes_are_as_wide_as_their_words(
    old: str, new: str, told: list[tuple[str, str]]
) -> None:
    assert [(old[a:b], new[c:d]) for a, b, c, d in changes(old, new)] == told


TEXTS = st.lists(
    st.sampled_from(["the", "boat", "came", "灯", "塔", " ", "  ", "\n", ",", ".", "é", "🚤"])
).map("".join)


@given(old=TEXTS, new=TEXTS)
def test_all_changes_together_lead_to_the_new_text(old: str, new: str) -> None:
    found = changes(old, new)
    assert applied(old, new, found) == new
    assert applied(old, new, []) == old
    assert bool(found) == (old != new)
    flat = [place for a, b, _, _ in found for place in (a, b)]
    assert flat == sorted(flat)
