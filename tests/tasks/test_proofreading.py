"""Corrections of words are believed; changes of numbers, dates, links and code are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.tasks.proofreading import without_damage
from gptdesk.tasks.survival import marks


@pytest.mark.parametrize(
    ("source", "answer", "told"),
    [
        ("He has two dogs and 2 cats.", "He has 2 dogs and 2 cats.", ["2"]),
        ("We met on 03/04/2026.", "We met on 04/03/2026.", ["03/04/2026"]),
        ("3 dogs and 5 cats are here.", "5 dogs and 3 cats are here.", ["3", "5"]),
        ("It cost 10-20 euros.", "It cost 20-10 euros.", ["10-20"]),
        ("Version 2 is out in 2 days", "2 Version 2 is out in days", ["2"]),
        ("会议在2026年3月14日开。", "会议在2026年4月13日开。", ["3月", "14日"]),
        ("Rows: 5 and 5 and 6.", "Rows: 5 and 6.", ["5"]),
        (
            "Run `make a` first, not `make b`.",
            "Run `make b` first, not `make a`.",
            ["`make a`", "`make b`"],
        ),
        ("Play the MP3 now.", "Play the MP4 now.", ["MP3"]),
    ],
)
def test_numbers_and_code_stay_where_they_are(source: str, answer: str, told: list[str]) -> None:
    mended, names = without_damage(source, answer)
    assert mended == source
    assert names == told


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("See [hre](https://example.org/a).", "See [here](https://example.org/a)."),
        ("In the 1990s music.", "In the 1990's music."),
        ("He ate 5 apple.", "He ate 5 apples."),
        ("In 1962 we left", "In 1962, we left."),
        ("It weighs 5kg.", "It weighs 5 kg."),
        ("On the 21th of May.", "On the 21st of May."),
        ("The price is 5 .", "The price is 5."),
        ("在５月他走拉。", "在5月他走了。"),
        ("Use `a b`too.", "Use `a b` too."),
        ("| teh cell  | 5 |", "| the cell | 5 |"),
    ],
)
def test_words_beside_them_may_change(source: str, answer: str) -> None:
    assert without_damage(source, answer) == (answer, [])


def test_the_good_changes_of_a_damaged_answer_are_made() -> None:
    source = "He recieve a call about two dogs and 2 cats in teh year 1962."
    answer = "He received a call about 2 dogs and 2 cats in the year 1926."
    assert without_damage(source, answer) == (
        "He received a call about two dogs and 2 cats in the year 1962.",
        ["2", "1962"],
    )


TEXTS = st.lists(
    st.sampled_from(["a", "the ", "1", "20", " ", "`", "[", "](u)", "/", ".", "年", "|", "-"]),
    max_size=12,
).map("".join)


@given(TEXTS, TEXTS)
def test_no_mark_is_ever_changed(source: str, answer: str) -> None:
    mended, names = without_damage(source, answer)
    assert [mark.value for mark in marks(mended)] == [mark.value for mark in marks(source)]
    assert len(set(names)) == len(names)
