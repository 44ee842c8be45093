"""Words and sizes as people count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.ui.numbers import count_words, grouped, parameters_text, size_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("  \n ", 0),
        ("one", 1),
        ("It's a well-known fact.", 4),
        ("don’t", 1),
        ("潮水退得很远。", 6),
        ("她说 hello，然后走了", 7),
        ("GPT模型", 3),
        ("100 km", 2),
        ("— … !", 0),
        ("Ελληνικά и русский", 3),
        ("𠮷野家", 3),
    ],
)
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words


@given(st.text())
def test_a_text_has_no_more_words_than_characters(text: str) -> None:
    assert 0 <= count_words(text) <= len(text)


@given(st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True)))
def test_words_between_spaces_count_one_each(words: list[str]) -> None:
    assert count_words(" ".join(words)) == len(words)


def test_figures() -> None:
    assert grouped(1204) == "1\u00a0204"
    assert grouped(0) == "0"
    assert size_text(10_300_000) == "10.3 MB"
    assert size_text(2_500_000_000) == "2.5 GB"
    assert parameters_text(124_000_000) == "124\u00a0M"
    assert parameters_text(1_500_000_000) == "1.5\u00a0B"
    assert parameters_text(12) == "12"
