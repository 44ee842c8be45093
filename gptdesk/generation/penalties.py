"""Changes to logits that depend on the tokens already there: penalties and forbidden repeats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gptdesk.engines.base import Logits
    from gptdesk.generation.sampling import Sampling

    Ids = NDArray[np.int64]

_LONGEST_REPEAT = 64  # tokens; beyond it the penalty is overwhelming anyway
_LARGEST_PENALTY = 1e6  # far beyond any logit, and safe in float32


def apply(scores: Logits, history: Sequence[int], sampling: Sampling) -> None:
    """Change `scores` [vocab_size] in place for the tokens of `history`, oldest first.

    Repetition, presence and frequency penalties and DRY look at the last `repetition_window`
    tokens; the n-gram ban looks at all of them. At least one token stays possible.
    """
    if not _wanted(sampling) or not history:
        return
    # Cut before converting: a history may be long, and this comes with every token.
    recent = np.asarray(history[-sampling.repetition_window :], dtype=np.int64)  # 0 takes all
    _penalize_seen(scores, recent, sampling)
    if sampling.dry_multiplier > 0:
        _penalize_repeats(scores, recent, sampling)
    if sampling.no_repeat_ngram_size > 0:
        everything = np.asarray(history, dtype=np.int64)
        _forbid_ngrams(scores, everything, sampling.no_repeat_ngram_size)


def _wanted(sampling: Sampling) -> bool:
    return (
        sampling.repetition_penalty != 1
        or sampling.presence_penalty != 0
        or sampling.frequency_penalty != 0
        or sampling.dry_multiplier > 0
        or sampling.no_repeat_ngram_size > 0
    )


def _penalize_seen(scores: Logits, recent: Ids, sampling: Sampling) -> None:
    seen, counts = np.unique(recent, return_counts=True)
    values = scores[seen]
    factor = np.float32(sampling.repetition_penalty)
    values = np.where(values > 0, values / factor, values * factor)
    values -= sampling.presence_penalty + sampling.frequency_penalty * counts.astype(np.float32)
    scores[seen] = values


def _penalize_repeats(scores: Logits, recent: Ids, sampling: Sampling) -> None:
    """DRY: the longer the repeat a token would extend, the more it loses."""
    lengths: dict[int, int] = {}
    places = _places_after_repeat(recent, 0)
    for length in range(1, _LONGEST_REPEAT + 1):
        places = places[places >= length]
        places = places[recent[places - length] == recent[-length]]
        if not len(places):
            break
        if length >= sampling.dry_allowed_length:
            lengths.update(dict.fromkeys(recent[places].tolist(), length))
    for token, length in lengths.items():
        power = sampling.dry_base ** (length - sampling.dry_allowed_length)
        scores[token] -= min(sampling.dry_multiplier * power, _LARGEST_PENALTY)


def _forbid_ngrams(scores: Logits, history: Ids, size: int) -> None:
    forbidden = history[_places_after_repeat(history, size - 1)]
    kept = scores[forbidden]
    scores[forbidden] = -np.inf
    if not scores.max() > -np.inf:
        scores[forbidden] = kept  # a tiny vocabulary: a repeat is better than no token at all


def _places_after_repeat(history: Ids, length: int) -> Ids:
    """Places whose `length` predecessors equal the last `length` ids of `history`."""
    places = np.arange(length, len(history))
    for back in range(1, length + 1 if len(places) else 0):
        places = places[history[places - back] == history[-back]]
    return places
