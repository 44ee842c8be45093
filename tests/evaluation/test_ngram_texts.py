"""The n-gram model over several texts, against a slow one that counts as the papers say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.evaluation.ngram import NgramModel

VOCAB = 5
END = 0  # begins every text
Gram = tuple[int, ...]


class SlowModel:
    """Modified Kneser-Ney by dictionaries of tuples."""

    def __init__(self, texts: Sequence[Sequence[int]], order: int) -> None:
        whole: dict[Gram, int] = defaultdict(int)
        for text in texts:
            for end in range(1, len(text)):
                for length in range(1, min(order, end + 1) + 1):
                    whole[tuple(text[end - length + 1 : end + 1])] += 1
        first = {tuple(text[:length]) for text in texts for length in range(order)}
        self.counts: list[dict[Gram, int]] = [defaultdict(int) for _ in range(order + 1)]
        for gram, count in whole.items():
            if len(gram) == order:
                self.counts[order][gram] = count
            if len(gram) > 1:
                self.counts[len(gram) - 1][gram[1:]] += 1
        for gram, count in whole.items():
            if 1 < len(gram) < order and gram in first:
                inside = sum(
                    tuple(text[at : at + len(gram)]) == gram
                    for text in texts
                    for at in range(1, len(text))
                )
                self.counts[len(gram)][gram] += count - inside
        self.order = order

    def probability(self, context: Gram, token: int) -> float:
        return self._at(context[max(0, len(context) - self.order + 1) :], token)

    def _at(self, context: Gram, token: int) -> float:
        counts = self.counts[len(context) + 1]
        seen = {gram: n for gram, n in counts.items() if gram[:-1] == context and n}
        shorter = self._at(context[1:], token) if context else 1 / VOCAB
        if not seen:
            return shorter
        taken = _discounts(list(counts.values()))
        left = sum(min(n, taken[min(n, 3)]) for n in seen.values())
        own = seen.get((*context, token), 0)
        kept = max(0.0, own - taken[min(own, 3)])
        return (kept + left * shorter) / sum(seen.values())


def _discounts(counts: list[int]) -> list[float]:
    one, two, three, four = (max(1, counts.count(n)) for n in (1, 2, 3, 4))
    share = one / (one + 2 * two)
    values = (1 - 2 * share * two / one, 2 - 3 * share * three / two, 3 - 4 * share * four / three)
    return [0.0, *(min(max(value, 0.05), n) for n, value in enumerate(values, 1))]


def _laid_out(texts: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.concatenate([np.arange(len(text)) == 0 for text in texts])
    return np.concatenate(texts), starts


@given(
    st.lists(st.lists(st.integers(1, VOCAB - 1), min_size=1, max_size=8), min_size=1, max_size=6),
    st.lists(st.integers(1, VOCAB - 1), min_size=1, max_size=6),
    st.integers(1, 4),
)
def test_probabilities_are_those_of_the_slow_model(
    bodies: list[list[int]], asked: list[int], order: int
) -> None:
    texts = [[END, *body, END] for body in bodies]
    ids, starts = _laid_out(texts)
    slow, question = SlowModel(texts, order), [END, *asked]
    found = NgramModel(ids, VOCAB, order, starts).log_probabilities(np.array(question))
    wanted = [
        log(slow.probability(tuple(question[:at]), question[at])) for at in range(1, len(question))
    ]
    assert found == pytest.approx(wanted, rel=1e-4)


def test_no_n_gram_reaches_across_texts() -> None:
    """2 follows 1 nowhere but across the border."""
    apart, starts = _laid_out([[END, 1, END], [END, 2, END]] * 4)
    one = np.concatenate([[END], *[[1, 2]] * 4, [END]])
    question = np.array([END, 1, 2])
    divided = NgramModel(apart, VOCAB, 3, starts).log_probabilities(question)
    joined = NgramModel(one, VOCAB, 3).log_probabilities(question)
    assert divided[-1] < joined[-1]


def test_the_order_of_the_texts_changes_nothing() -> None:
    texts = [[END, 1, 2, 3, END], [END, 2, 2, END], [END, 4, 1, 2, END]]
    question = np.array([END, 4, 1, 2, 3])
    models = [NgramModel(*_arguments(own)) for own in (texts, texts[::-1])]
    first, second = (model.log_probabilities(question) for model in models)
    assert first == pytest.approx(second)


def _arguments(texts: Sequence[Sequence[int]]) -> tuple[np.ndarray, int, int, np.ndarray]:
    ids, starts = _laid_out(texts)
    return ids, VOCAB, 3, starts
