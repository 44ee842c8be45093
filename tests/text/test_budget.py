"""Cutting to a budget: never too long, never lossy, at good borders, in linear time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.text.budget import chunks, tail
from gptdesk.text.tokenizer import Tokenizer
from tests.text import tokenizers_for_tests as makes

texts = st.one_of(
    st.text(max_size=300),
    st.lists(
        st.sampled_from(["word ", "灯塔。", "End. ", "\n\n", "\n", "   ", "👩\u200d👧", "x" * 40]),
        max_size=60,
    ).map("".join),
)


def make_tokenizer() -> Tokenizer:
    with tempfile.TemporaryDirectory() as folder:
        return Tokenizer.from_folder(makes.byte_level(Path(folder)))


TOKENIZER = make_tokenizer()


@given(texts, st.integers(4, 60))
def test_chunks_fit_and_lose_nothing(text: str, limit: int) -> None:
    parts = chunks(text, TOKENIZER, limit)
    assert "".join(parts) == text
    assert all(part and TOKENIZER.count(part) <= limit for part in parts)


@given(texts, st.integers(1, 60))
def test_a_tail_fits_and_is_the_end(text: str, limit: int) -> None:
    end = tail(text, TOKENIZER, limit)
    assert text.endswith(end)
    assert TOKENIZER.count(end) <= limit
    if TOKENIZER.count(text) <= limit:
        assert end == text


def test_every_tokenizer_counts_alike(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_folder(makes.sentencepiece_like(tmp_path))
    text = "The storm was over. She counted 灯塔 lamps. " * 50
    parts = chunks(text, tokenizer, 40)
    assert "".join(parts) == text
    assert all(tokenizer.count(part) <= 40 for part in parts)


def test_paragraphs_stay_whole_where_they_fit() -> None:
    text = "One short paragraph. Of two.\n\nAnother short one. Of two.\n\nA third."
    limit = max(TOKENIZER.count(part) for part in text.split("\n\n")) + 4
    parts = chunks(text, TOKENIZER, limit)
    assert parts[0] == "One short paragraph. Of two.\n\n"


def test_sentences_stay_whole_where_they_fit() -> None:
    text = "The storm was over. She walked along the harbour. The lamps still burned. " * 4
    parts = chunks(text, TOKENIZER, 30)
    assert all(part.rstrip().endswith(".") for part in parts)
    assert len(parts) > 1


def test_words_stay_whole_where_they_can() -> None:
    text = "harbour lamps storm evening " * 40
    assert all(part.endswith(" ") for part in chunks(text, TOKENIZER, 20))


def test_a_tail_begins_with_a_word_and_better_a_sentence() -> None:
    text = "harbour lamps storm evening " * 100
    assert tail(text, TOKENIZER, 40).split()[0] in text.split()
    text = "The storm was over. She walked along the harbour and counted lamps. " * 20
    assert tail(text, TOKENIZER, 60).startswith(("The", "She"))


def test_no_tokens_no_text() -> None:
    assert tail("some text", TOKENIZER, 0) == ""
    assert chunks("", TOKENIZER, 10) == []


@pytest.mark.timeout(60)  # quadratic counting takes hours
@pytest.mark.parametrize("text", ["x" * 300_000, "灯塔" * 50_000, "\n" * 300_000, "A b. " * 60_000])
def test_long_texts_take_linear_time(text: str) -> None:
    assert "".join(chunks(text, TOKENIZER, 200)) == text
    assert TOKENIZER.count(tail(text, TOKENIZER, 200)) <= 200
