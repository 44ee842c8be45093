"""The laws of sampling, for any logits and any settings."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.errors import EngineError, OptionError
from gptdesk.generation import filters
from gptdesk.generation.sampler import Sampler
from gptdesk.generation.sampling import Sampling

VOCAB = 40
Array = np.ndarray[Any, Any]

logit_rows = st.lists(st.floats(-50, 50, width=32), min_size=VOCAB, max_size=VOCAB).map(
    lambda values: np.array(values, dtype=np.float32)
)
histories = st.lists(st.integers(0, VOCAB - 1), max_size=30)
any_filters = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.integers(0, 2 * VOCAB),
        "top_p": st.floats(0, 1),
        "min_p": st.floats(0, 1),
        "typical_p": st.floats(0, 1),
        "top_n_sigma": st.floats(0, 5),
        "xtc_probability": st.floats(0, 1),
        "xtc_threshold": st.floats(0, 1),
    },
)
any_penalties = st.fixed_dictionaries(
    {},
    optional={
        "repetition_penalty": st.floats(0.01, 10),
        "repetition_window": st.integers(0, 40),
        "presence_penalty": st.floats(-10, 10),
        "frequency_penalty": st.floats(-10, 10),
        "no_repeat_ngram_size": st.integers(0, 4),
        "dry_multiplier": st.floats(0, 5),
        "dry_allowed_length": st.integers(1, 4),
    },
)
temperatures = st.floats(0.0, 10.0)


def row(*values: float) -> Array:
    return np.array(values, dtype=np.float32)


def choices(logits: Array, count: int = 200, seed: int = 1, **settings: Any) -> set[int]:
    sampler = Sampler(Sampling(**settings), len(logits), seed)
    return {sampler.choose(logits, []).id for _ in range(count)}


def kept(logits: Array, **settings: Any) -> set[int]:
    ids, weights = filters.candidates(
        logits, Sampling(temperature=1.0, **settings), np.random.default_rng(0)
    )
    return {int(i) for i, weight in zip(ids, weights, strict=True) if weight > 0}


@given(logit_rows, histories, any_filters, any_penalties, temperatures)
def test_a_choice_is_always_possible(
    logits: Array, history: list[int], chosen: Any, penalties: Any, temperature: float
) -> None:
    sampling = Sampling(temperature=temperature, **chosen, **penalties)
    assert 0 <= Sampler(sampling, VOCAB, 5).choose(logits, history).id < VOCAB


@given(logit_rows, any_filters)
def test_temperature_0_is_the_argmax_whatever_else_is_set(logits: Array, chosen: Any) -> None:
    assert choices(logits, 3, temperature=0.0, **chosen) == {int(logits.argmax())}


@given(logit_rows, temperatures)
def test_top_k_1_is_greedy(logits: Array, temperature: float) -> None:
    assert choices(logits, 3, temperature=temperature, top_k=1) == {int(logits.argmax())}


@given(logit_rows, any_filters, st.integers(0, 1 << 40))
def test_the_same_seed_chooses_the_same(logits: Array, chosen: Any, seed: int) -> None:
    first, second = (Sampler(Sampling(**chosen), VOCAB, seed) for _ in range(2))
    ids = [first.choose(logits, []).id for _ in range(10)]
    assert ids == [second.choose(logits, []).id for _ in range(10)]


@given(logit_rows, any_filters, st.sets(st.integers(0, VOCAB - 1), max_size=VOCAB - 1))
def test_banned_tokens_never_come(logits: Array, chosen: Any, banned: set[int]) -> None:
    assert not choices(logits, 20, banned=tuple(banned), **chosen) & banned


@given(logit_rows, st.floats(0.01, 0.999))
def test_the_nucleus_is_the_smallest_set_with_its_mass(logits: Array, top_p: float) -> None:
    probabilities = np.exp(logits.astype(np.float64) - logits.max())
    probabilities /= probabilities.sum()
    nucleus = sorted((probabilities[i] for i in kept(logits, top_p=top_p)), reverse=True)
    assert sum(nucleus) >= top_p - 1e-5
    assert sum(nucleus[:-1]) < top_p + 1e-5
    assert (
        len(nucleus) == 1
        or nucleus[-1]
        >= max(
            (p for i, p in enumerate(probabilities) if i not in kept(logits, top_p=top_p)),
            default=0,
        )
        - 1e-7
    )


@given(logit_rows, st.floats(0, 1))
def test_min_p_keeps_the_best_and_what_is_near(logits: Array, min_p: float) -> None:
    ids = kept(logits, min_p=min_p)
    assert int(logits.argmax()) in ids or logits.max() in logits[list(ids)]
    assert all(math.exp(logits[i] - logits.max()) >= min_p - 1e-6 for i in ids)


@given(logit_rows, st.integers(1, VOCAB - 1))
def test_top_k_keeps_the_largest(logits: Array, top_k: int) -> None:
    ids, _ = filters.candidates(logits, Sampling(top_k=top_k), np.random.default_rng(0))
    assert len(ids) == top_k
    assert sorted(logits[ids]) == pytest.approx(sorted(logits)[-top_k:], abs=1e-5)


def test_typical_prefers_the_expected_surprise() -> None:
    # One likely token and many equal ones: the entropy is near the surprise of the many.
    logits = np.log(row(0.3, *[0.07] * 10))
    assert 0 not in kept(logits, typical_p=0.5)


def test_n_sigma_keeps_logits_near_the_best() -> None:
    logits = row(10, 9.5, *[0.0] * 20, 1.0)
    assert kept(logits, top_n_sigma=1.0) == {0, 1}


def test_xtc_leaves_only_the_least_probable_of_the_top() -> None:
    logits = np.log(row(0.5, 0.3, 0.15, 0.05))
    assert kept(logits, xtc_probability=1.0, xtc_threshold=0.1) == {2, 3}
    assert kept(logits, xtc_probability=1.0, xtc_threshold=0.4) == {0, 1, 2, 3}


def test_frequencies_follow_the_distribution() -> None:
    logits = np.log(row(0.6, 0.3, 0.1))
    sampler = Sampler(Sampling(temperature=1.0), 3, seed=7)
    drawn = [sampler.choose(logits, []).id for _ in range(20_000)]
    assert np.bincount(drawn) / len(drawn) == pytest.approx([0.6, 0.3, 0.1], abs=0.015)


def test_bias_moves_and_suppression_bans_once() -> None:
    logits = row(1, 2, 3)
    assert choices(logits, temperature=0.0, logit_bias={0: 10.0}) == {0}
    sampler = Sampler(Sampling(temperature=0.0), 3, 0)
    assert sampler.choose(logits, [], suppressed={2}).id == 1
    assert sampler.choose(logits, []).id == 2


def test_the_logits_are_left_as_they_are() -> None:
    logits = row(1, 2, 3)
    Sampler(Sampling(banned=(2,), repetition_penalty=2.0), 3, 0).choose(logits, [1])
    assert logits.tolist() == [1, 2, 3]


@given(logit_rows, st.integers(1, 50))
def test_logprobs_are_the_model_s_own(logits: Array, count: int) -> None:
    sampling = Sampling(temperature=2.0, top_k=3, top_logprobs=count)
    choice = Sampler(sampling, VOCAB, 0).choose(logits, [])
    expected = logits.astype(np.float64)
    expected -= expected.max() + math.log(np.exp(expected - expected.max()).sum())
    assert choice.logprob == pytest.approx(expected[choice.id], abs=1e-4)
    assert len(choice.alternatives) == min(count, VOCAB)
    values = [value for _, value in choice.alternatives]
    assert values == sorted(values, reverse=True)
    assert values == pytest.approx(sorted(expected, reverse=True)[:count], abs=1e-4)


def test_no_logprobs_unless_asked_for() -> None:
    choice = Sampler(Sampling(), 3, 0).choose(row(1, 2, 3), [])
    assert choice.logprob is None
    assert choice.alternatives == ()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_broken_logits_are_an_error(bad: float) -> None:
    for settings in ({}, {"temperature": 0.0}, {"top_k": 1}):
        with pytest.raises(EngineError, match="not numbers"):
            Sampler(Sampling(**settings), 3, 0).choose(row(1, bad, 2), [])


def test_impossible_tokens_of_the_engine_never_come() -> None:
    assert choices(row(1, -math.inf, 2), temperature=10.0) == {0, 2}


def test_the_smallest_temperatures_are_safe() -> None:
    assert choices(row(1, 1.5, -1e30), temperature=1e-300) == {1}


@pytest.mark.parametrize(
    "settings", [{"banned": (3,)}, {"banned": (-1,)}, {"banned": (True,)}, {"logit_bias": {9: 1.0}}]
)
def test_ids_outside_the_vocabulary_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="token id"):
        Sampler(Sampling(**settings), 3, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None, True])
def test_a_bias_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(OptionError, match="logit_bias"):
        Sampler(Sampling(logit_bias={0: value}), 3, 0)


def test_banning_everything_is_refused() -> None:
    with pytest.raises(OptionError, match="Every token"):
        Sampler(Sampling(banned=(0, 1, 2)), 3, 0).choose(row(1, 2, 3), [])


@pytest.mark.parametrize(
    "settings",
    [
        {"seed": "x"},
        {"seed": 1.5},
        {"seed": -1},
        {"stop": None},
        {"stop": [1]},
        {"stop": "end"},
        {"banned": "x"},
        {"banned": None},
        {"logit_bias": [1]},
    ],
    ids=str,
)
def test_values_of_the_wrong_type_are_refused_by_name(settings: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(settings))):
        Sampling(**settings)
