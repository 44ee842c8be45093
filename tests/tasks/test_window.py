"""The window on a long text fits, begins well and seldom moves."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gptdesk.tasks.window import window_start
from gptdesk.text.tokenizer import Tokenizer

BOOK = "\n\n".join(f"Paragraph {n}. The keeper wrote a letter every evening." for n in range(300))


def test_a_short_text_is_seen_whole(tokenizer: Tokenizer) -> None:
    assert window_start("The keeper wrote.", tokenizer, 100) == 0


def test_the_start_stays_while_typing_goes_on(tokenizer: Tokenizer) -> None:
    starts = [window_start(BOOK[: 9000 + n], tokenizer, 400) for n in range(400)]
    assert len(set(starts)) <= 4
    assert sum(a != b for a, b in itertools.pairwise(starts)) <= 10


def test_it_begins_with_a_paragraph_or_else_a_sentence(tokenizer: Tokenizer) -> None:
    start = window_start(BOOK, tokenizer, 400)
    assert BOOK[start:].startswith("Paragraph")
    one_line = BOOK.replace("\n\n", " ")
    start = window_start(one_line, tokenizer, 400)
    assert one_line[start - 2 : start] == ". "


def test_most_of_the_budget_is_used(tokenizer: Tokenizer) -> None:
    start = window_start(BOOK, tokenizer, 400)
    assert 250 <= tokenizer.count(BOOK[start:]) <= 400


@given(st.text(max_size=300), st.integers(1, 60))
def test_it_fits_and_is_never_empty(tokenizer: Tokenizer, text: str, budget: int) -> None:
    start = window_start(text, tokenizer, budget)
    assert tokenizer.count(text[start:]) <= max(budget, 4)
    assert start < len(text) or not text


def test_one_character_without_any_border(tokenizer: Tokenizer) -> None:
    text = "灯" * 5000
    start = window_start(text, tokenizer, 100)
    assert 0 < tokenizer.count(text[start:]) <= 100
