"""Summaries that need no training: leading sentences, and those that TextRank finds central.

TextRank: Mihalcea & Tarau 2004, "TextRank: Bringing order into texts", section 4. Sentences are
linked by the words that they share, and PageRank says which of them the others recommend.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from base_corpus import SUMMARIES
from numpy.typing import NDArray

from gptdesk.evaluation.answers import Answer, summary_measures
from gptdesk.evaluation.items import SummaryItem, read_items
from gptdesk.evaluation.text_scores import CharacterTokenizer
from gptdesk.text.segmentation import sentences

_DAMPING = 0.85
_CLOSE, _MOST_ROUNDS = 1e-8, 200


def summary_figures(data: Path) -> dict[str, dict[str, float]]:
    """ROUGE of TextRank and of the leading sentences on each test set of summaries."""
    figures = {}
    for name in SUMMARIES:
        if name.startswith("sum_"):
            items = read_items(data / f"{name}.test.jsonl.xz").items
            figures[f"{name}.test"] = _measured(cast("Sequence[SummaryItem]", items))
    return figures


def central_sentences(text: str, length: int) -> str:
    """So many of the best sentences that their length comes nearest to `length` characters.

    They stand in the order of the text.
    """
    found = [text[span.start : span.end].strip() for span in sentences(text)]
    found = [sentence for sentence in found if sentence] or [text.strip()]
    best = np.argsort(-text_rank(found), kind="stable")
    lengths = np.cumsum([len(found[at]) + 1 for at in best]) - 1
    chosen = sorted(best[: int(np.argmin(np.abs(lengths - length))) + 1])
    return " ".join(found[at] for at in chosen)


def text_rank(found: Sequence[str]) -> NDArray[np.float64]:
    """How central each sentence is: float64 [sentences], of mean 1."""
    links = _similarity(found)
    sums = links.sum(axis=1, keepdims=True)
    alone = sums[:, 0] == 0  # links to nothing, and so to all alike
    passed = np.where(alone[:, None], 1 / len(found), links / np.where(sums, sums, 1))
    rank = np.ones(len(found))
    for _ in range(_MOST_ROUNDS):
        fresh = (1 - _DAMPING) + _DAMPING * (rank @ passed)
        if np.abs(fresh - rank).max() < _CLOSE:
            return fresh
        rank = fresh
    return rank


def _similarity(found: Sequence[str]) -> NDArray[np.float64]:
    """Words that two sentences share, over the logarithms of their lengths: (sentences,) * 2."""
    tokenizer = CharacterTokenizer()
    words = [tokenizer.tokenize(sentence) for sentence in found]
    number = {word: at for at, word in enumerate(sorted({w for own in words for w in own}))}
    holds = np.zeros((len(found), len(number)), np.float32)
    for row, own in zip(holds, words, strict=True):
        row[[number[word] for word in own]] = 1
    logs = np.log([max(len(own), 1) for own in words])
    scale = logs[:, None] + logs[None, :]
    shared = (holds @ holds.T).astype(np.float64)
    np.fill_diagonal(shared, 0)
    return np.where(scale > 0, shared / np.where(scale > 0, scale, 1), 0)


def _measured(items: Sequence[SummaryItem]) -> dict[str, float]:
    """As `gptdesk evaluate` measures a model, whose place TextRank takes."""
    length = int(statistics.median(len(ref) for item in items for ref in item.references))
    answers = [Answer(item, central_sentences(item.text, length), "stop", "") for item in items]
    measures = summary_measures(answers)
    return {
        name if name.endswith("of the lead") else f"{name} of TextRank": value
        for name, value in measures.items()
    }
