"""Edits of corrections: worked examples, and what holds for any texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.evaluation.edits import Correction, edit_measures, edits
from gptdesk.text.differences import words

BAD = "She have lived their for ten years ."
GOOD = "She has lived there for ten years."


def test_edits_are_the_words_that_differ() -> None:
    assert edits(BAD, GOOD) == {(1, 2, ("has",)), (3, 4, ("there",))}
    assert edits("in house", "in the house") == {(1, 1, ("the",))}
    assert edits("it came ,late", "it came late.") == {(2, 3, ()), (4, 4, (".",))}
    assert edits("他门在哪里", "他们在那里") == {(1, 2, ("们",)), (3, 4, ("那",))}
    assert edits("alot of", "a lot of") == {(0, 1, ("a", "lot"))}


@pytest.mark.parametrize(
    ("answer", "recall", "precision", "f"),
    [
        (GOOD, 100, 100, 100),
        (BAD, 0, 100, 0),
        ("She has lived their for ten years .", 50, 100, 500 / 6),
        ("She has lived their for many years .", 50, 50, 50),
        ("She had lived their for ten years .", 0, 0, 0),
    ],
)
def test_measures_of_one_text(answer: str, recall: float, precision: float, f: float) -> None:
    found = edit_measures([Correction(BAD, GOOD, answer)])
    assert found["errors repaired"] == recall
    assert found["edits that were right"] == precision
    assert found["f0.5"] == pytest.approx(f)
    assert "clean left alone" not in found


def test_edits_of_all_texts_count_alike() -> None:
    found = edit_measures(
        [
            Correction(BAD, GOOD, GOOD),
            Correction("the end", "the end.", "the end"),
            Correction("It is.", "It is.", "It was."),
            Correction("It is.", "It is.", "It is."),
        ]
    )
    assert found["errors repaired"] == pytest.approx(200 / 3)
    assert found["edits that were right"] == pytest.approx(200 / 3)
    assert found["clean left alone"] == 50
    assert found["exactly right"] == 50
    assert found["made worse"] == 25


def test_without_a_mistake_there_is_nothing_to_repair() -> None:
    found = edit_measures([Correction("It is.", "It is.", "It is.")])
    assert found == {"clean left alone": 100, "exactly right": 100, "made worse": 0}


TEXTS = st.lists(st.sampled_from(["a", "b", "the", ",", ".", "灯", "塔"]), max_size=12).map(
    " ".join
)


@given(text=TEXTS, other=TEXTS)
def test_edits_lead_from_one_text_to_the_other(text: str, other: str) -> None:
    result = words(text)
    for start, end, new in sorted(edits(text, other), reverse=True):
        assert list(new) != result[start:end]
        result[start:end] = new
    assert result == words(other)


@given(text=TEXTS, gold=TEXTS, answer=TEXTS)
def test_measures_stay_in_range(text: str, gold: str, answer: str) -> None:
    found = edit_measures([Correction(text, gold, answer)])
    assert all(0 <= value <= 100 for value in found.values())
    perfect = edit_measures([Correction(text, gold, gold)])
    assert perfect.pop("made worse") == 0
    assert set(perfect.values()) == {100}
