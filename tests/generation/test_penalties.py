"""Penalties against plain definitions written as loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.generation import penalties
from gptdesk.generation.sampling import Sampling

VOCAB = 6
histories = st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=25)


def apply(history: list[int], scores: list[float] | None = None, **settings: Any) -> Any:
    values = np.array(scores or [2.0] * VOCAB, dtype=np.float32)
    penalties.apply(values, history, Sampling(**settings))
    return values


def test_repetition_divides_positive_and_multiplies_negative_logits() -> None:
    found = apply([0, 1, 1], [3.0, -3.0, 3.0, 0, 0, 0], repetition_penalty=1.5)
    assert found.tolist() == [2.0, -4.5, 3.0, 0, 0, 0]


def test_the_window_forgets_what_is_older() -> None:
    found = apply([0, 1, 2], repetition_penalty=2.0, repetition_window=1)
    assert found.tolist() == [2, 2, 1, 2, 2, 2]


def test_presence_counts_once_and_frequency_each_time() -> None:
    found = apply([0, 1, 1], presence_penalty=0.5, frequency_penalty=0.25)
    assert found.tolist() == [1.25, 1.0, 2, 2, 2, 2]


@given(histories, st.integers(1, 4))
def test_no_n_gram_comes_twice(history: list[int], size: int) -> None:
    seen = {tuple(history[at : at + size]) for at in range(len(history) - size + 1)}
    tail = history[len(history) - size + 1 :] if len(history) >= size - 1 else None
    forbidden = {t for t in range(VOCAB) if tail is not None and (*tail, t) in seen}
    found = apply(history, no_repeat_ngram_size=size)
    if len(forbidden) < VOCAB:
        assert {t for t in range(VOCAB) if np.isneginf(found[t])} == forbidden
    else:
        assert np.isfinite(found).all()


@given(histories, st.integers(1, 4))
def test_dry_grows_with_the_repeat_it_would_extend(history: list[int], allowed: int) -> None:
    longest = dict.fromkeys(range(VOCAB), 0)
    for at in range(1, len(history)):
        length = 0
        while length < at and history[at - 1 - length] == history[-1 - length]:
            length += 1
        longest[history[at]] = max(longest[history[at]], length)
    found = apply(history, dry_multiplier=0.5, dry_base=1.5, dry_allowed_length=allowed)
    expected = [
        2.0 - (0.5 * 1.5 ** (n - allowed) if n >= allowed else 0.0) for n in longest.values()
    ]
    assert found.tolist() == pytest.approx(expected, rel=1e-4)


def test_endless_repeats_do_not_overflow() -> None:
    found = apply([1] * 5000, dry_multiplier=100.0, dry_base=10.0)
    assert found[0] == 2
    assert found[1] < -1e5


def test_neutral_settings_change_nothing() -> None:
    assert apply([0, 1, 2], repetition_window=2).tolist() == [2.0] * VOCAB
    assert apply([], repetition_penalty=2.0).tolist() == [2.0] * VOCAB
