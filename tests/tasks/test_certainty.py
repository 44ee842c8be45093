"""Changes are made where every word of them was probable enough."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.generation.events import Token
from gptdesk.tasks.certainty import Certainty, certain_changes

OLD = "He go home the the evening."


def certainty_of(*tokens: tuple[str, float]) -> Certainty:
    certainty = Certainty()
    for text, probability in tokens:
        certainty.push(Token(0, text, math.log(probability)))
    return certainty


def test_a_place_is_as_sure_as_its_least_probable_token() -> None:
    certainty = certainty_of((" He", 0.9), (" goes", 0.5), (" home", 0.8))
    assert certainty.of(0, 2) == pytest.approx(0.9)
    assert certainty.of(3, 7) == pytest.approx(0.5)
    assert certainty.of(3, 12) == pytest.approx(0.5)
    assert certainty.of(8, 12) == pytest.approx(0.8)


def test_what_was_left_out_is_as_sure_as_what_follows_it() -> None:
    certainty = certainty_of(("He", 0.9), (" left", 0.4))
    assert certainty.of(3, 3) == pytest.approx(0.4)
    assert certainty.of(7, 7) == 0.0


def test_what_was_left_out_at_the_end_is_as_sure_as_the_end() -> None:
    certainty = certainty_of(("He", 0.9), (" left", 0.4))
    certainty.end(math.log(0.8))
    assert certainty.of(7, 7) == pytest.approx(0.8)
    assert certainty.of(3, 7) == pytest.approx(0.4)
    certainty.end(None)
    assert certainty.of(7, 7) == 0.0


def test_a_character_in_several_tokens_is_as_sure_as_all_of_them() -> None:
    certainty = certainty_of(("", 0.3), ("", 0.9), ("\u9f98", 0.8), ("\u3002", 0.9))
    assert certainty.of(0, 1) == pytest.approx(0.3)
    assert certainty.of(1, 2) == pytest.approx(0.9)


def test_one_change_is_made_and_another_is_not() -> None:
    answer = certainty_of(
        ("He", 0.9), (" goes", 0.8), (" home", 0.9), (" the", 0.9), (" evening", 0.3), (".", 0.9)
    )
    new = "He goes home the evening."
    assert certain_changes(OLD, new, answer, 0.7) == "He goes home the the evening."
    assert certain_changes(OLD, new, answer, 0.2) == new
    assert certain_changes(OLD, new, answer, 0.95) == OLD
    assert certain_changes(OLD, new, answer, 0.0) == new


WORDS = st.lists(st.sampled_from(["the ", "sea", " is", "\u6d77", "\u6d0b", ".", " 3", "\n"]))


@given(WORDS, st.lists(st.tuples(WORDS.map("".join), st.floats(0.01, 1.0))), st.floats(0.0, 1.0))
def test_nothing_but_changes_of_the_model(
    old: list[str], tokens: list[tuple[str, float]], least: float
) -> None:
    source, certainty = "".join(old), certainty_of(*tokens)
    answer = "".join(text for text, _ in tokens).strip()
    made = certain_changes(source, answer, certainty, least)
    if all(probability < least for _, probability in tokens):
        assert made == (answer if not least else source)
    if made not in (source, answer):
        assert any(probability >= least for _, probability in tokens)
