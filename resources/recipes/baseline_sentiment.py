"""Sentiment by a bag of words: logistic regression over the words and pairs of words of a text.

Chinese counts by the character. How strongly weights are held small is chosen on text apart from
the test set: SST-2's own dev set, or a tenth of the training set where there is none.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from base_corpus import read_rows
from torch import Tensor

from gptdesk.evaluation.text_scores import CharacterTokenizer

SETS = ("cls_en_sst2", "cls_zh_chnsenticorp")
PENALTIES = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3)
"""Factors of the squared weights, beside the mean loss of a text."""

_LEAST_TEXTS = 2  # that a feature occurs in
_HELD_OUT = 10  # every so manieth text, where there is no dev set
_ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Bags:
    """Texts as sets of features.

    Attributes:
        features: int64 [all features of all texts], their numbers.
        borders: int64 [texts], where those of each text begin.
        labels: float32 [texts], 0 or 1.
    """

    features: Tensor
    borders: Tensor
    labels: Tensor


class Vocabulary:
    """Numbers of the features that enough texts have."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        counts = Counter(feature for row in rows for feature in features_of(row["text"]))
        kept = sorted(feature for feature, count in counts.items() if count >= _LEAST_TEXTS)
        self._numbers = {feature: number for number, feature in enumerate(kept)}

    def __len__(self) -> int:
        return len(self._numbers)

    def bags(self, rows: Sequence[dict[str, Any]]) -> Bags:
        """Rows with "text" and "label" as sets of known features."""
        features: list[int] = []
        borders = []
        for row in rows:
            borders.append(len(features))
            found = features_of(row["text"])
            features += sorted(self._numbers[name] for name in found if name in self._numbers)
        labels = torch.tensor([float(row["label"]) for row in rows])
        return Bags(torch.tensor(features, dtype=torch.long), torch.tensor(borders), labels)


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the features, [features, 1], and what is added to all texts, [1]."""

    features: Tensor
    bias: Tensor

    def logits(self, bags: Bags) -> Tensor:
        """How much each text looks like label 1: [texts]."""
        summed = F.embedding_bag(bags.features, self.features, bags.borders, mode="sum")
        return summed[:, 0] + self.bias


def features_of(text: str) -> set[str]:
    """The words of a text, and each word with the one that follows."""
    words = CharacterTokenizer().tokenize(text)
    return {*words, *(f"{first} {second}" for first, second in itertools.pairwise(words))}


def fitted(bags: Bags, size: int, penalty: float) -> Weights:
    """The weights with the smallest mean loss and penalty, by L-BFGS."""
    weights = Weights(torch.zeros(size, 1, requires_grad=True), torch.zeros(1, requires_grad=True))
    parameters = [weights.features, weights.bias]
    optimizer = torch.optim.LBFGS(parameters, max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(weights.logits(bags), bags.labels)
        loss = loss + penalty * weights.features.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return Weights(weights.features.detach(), weights.bias.detach())


def accuracy(weights: Weights, bags: Bags) -> float:
    """Percent of the texts whose label is the likelier one."""
    return 100 * float(((weights.logits(bags) > 0) == (bags.labels > 0.5)).float().mean())


def sentiment_figures(data: Path) -> dict[str, dict[str, float]]:
    """Accuracy on both test sets."""
    return {f"{name}.test": _measured(data, name) for name in SETS}


def _measured(data: Path, name: str) -> dict[str, float]:
    rows, test = (list(read_rows(data / f"{name}.{part}.jsonl.xz")) for part in ("train", "test"))
    dev = list(_dev_rows(data, name, rows))
    held = {id(row) for row in dev}
    learnt = [row for row in rows if id(row) not in held]
    vocabulary = Vocabulary(learnt)
    train, judged = vocabulary.bags(learnt), vocabulary.bags(dev)
    scores = {
        penalty: accuracy(fitted(train, len(vocabulary), penalty), judged) for penalty in PENALTIES
    }
    best = max(scores, key=scores.__getitem__)
    vocabulary = Vocabulary(rows)
    weights = fitted(vocabulary.bags(rows), len(vocabulary), best)
    return {
        "accuracy": accuracy(weights, vocabulary.bags(test)),
        "accuracy on dev": scores[best],
        "penalty": best,
        "features": float(len(vocabulary)),
    }


def _dev_rows(data: Path, name: str, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    path = data / f"{name}.dev.jsonl.xz"
    yield from read_rows(path) if path.is_file() else rows[::_HELD_OUT]
