"""The n-gram model is a probability distribution, and knows what it has seen."""

from __future__ import annotations

import numpy as np
import pytest

from gptdesk.evaluation.ngram import NgramModel

VOCAB = 7


@pytest.fixture(scope="module")
def text() -> np.ndarray:
    random = np.random.default_rng(0)
    steps = random.choice([1, 1, 1, 2, 3], 4000)
    return np.cumsum(steps) % VOCAB


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", [[0, 1, 2, 3], [3, 3, 3, 3], [6, 0, 0, 1]])
def test_probabilities_of_all_tokens_sum_to_one(
    text: np.ndarray, order: int, context: list[int]
) -> None:
    model = NgramModel(text, VOCAB, order)
    logs = [model.log_probabilities(np.array([*context, token]))[-1] for token in range(VOCAB)]
    assert np.exp(logs).sum() == pytest.approx(1)


def test_more_context_predicts_better(text: np.ndarray) -> None:
    train, test = text[:3000], text[3000:]
    losses = [-NgramModel(train, VOCAB, n).log_probabilities(test).mean() for n in (1, 2)]
    assert losses[1] < losses[0]
    entropy = -(0.6 * np.log(0.6) + 2 * 0.2 * np.log(0.2))  # of the steps: the best there is
    assert losses[1] == pytest.approx(entropy, rel=0.03)


def test_an_unseen_token_still_has_a_probability() -> None:
    model = NgramModel(np.array([0, 1, 0, 1, 0, 1]), VOCAB, 3)
    assert np.isfinite(model.log_probabilities(np.array([5, 6, 5]))).all()


def test_texts_shorter_than_the_order() -> None:
    model = NgramModel(np.array([0, 1, 2]), VOCAB, 5)
    shorter = NgramModel(np.array([0, 1, 2]), VOCAB, 3)
    ids = np.array([0, 1, 2, 5, 1])
    np.testing.assert_allclose(model.log_probabilities(ids), shorter.log_probabilities(ids))


def test_bigrams_by_hand() -> None:
    """In a b a c a b, b after a: (2 - 0.2) / 3 of its own, 0.8 / 3 of what b has without context.

    That is (1 - 0.5) / 4 as one of four pairs ends in b, and 1.5 / 4 of a third for any token.
    """
    model = NgramModel(np.array([0, 1, 0, 2, 0, 1]), 3, 2)
    found = np.exp(model.log_probabilities(np.array([0, 1]))[-1])
    assert found == pytest.approx(1.8 / 3 + 0.8 / 3 * (0.5 / 4 + 1.5 / 4 / 3))
