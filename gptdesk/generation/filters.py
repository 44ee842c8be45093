"""Filters on the tempered distribution: which tokens remain candidates. None leaves none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gptdesk.engines.base import Logits
    from gptdesk.generation.sampling import Sampling

    Ids = NDArray[np.int64]
    Floats = NDArray[np.floating[Any]]

_BLOCK = 512
_COLDEST = 1e-6  # below this float32 has no quotient left
_FIRST_GUESS = 64  # most nuclei are smaller; each further guess is 32 times the last
_NEGLIGIBLE = -30.0  # e^-30 = 10^-13 of the best: all such tokens together are below rounding


def candidates(
    scores: Logits, sampling: Sampling, random: np.random.Generator
) -> tuple[Ids, Floats]:
    """The tokens that remain, and their probabilities.

    Args:
        scores: float32 [vocab_size] with at least one finite value; -inf is a banned token.
        sampling: temperature above 0, and the filters.
        random: for XTC alone, which draws one number when it is on.

    Returns:
        ids [n] and probabilities [n] up to a common factor, n ≥ 1, in the same order.
    """
    tempered = _tempered(scores, sampling.temperature)
    ids = _possible(tempered, sampling.top_k)
    if sampling.top_n_sigma > 0:
        ids = _within_sigmas(ids, tempered, sampling.top_n_sigma)
    weights = np.exp(tempered[ids])
    if sampling.typical_p < 1:
        ids, weights = _typical(ids, weights, sampling.typical_p)
    if sampling.top_p < 1:
        kept = _smallest_set(weights, weights, sampling.top_p)
        ids, weights = ids[kept], weights[kept]
    if sampling.min_p > 0:
        kept = weights >= sampling.min_p * weights.max()
        ids, weights = ids[kept], weights[kept]
    if sampling.xtc_probability > 0:
        ids, weights = _without_top_choices(ids, weights, sampling, random)
    return ids, weights


def largest(values: Floats, count: int) -> Ids:
    """Places of the `count` largest values, best first, without sorting the rest."""
    count = min(count, len(values))
    places = np.argpartition(values, len(values) - count)[len(values) - count :]
    return places[np.argsort(values[places])[::-1]]


def draw(weights: Floats, point: float) -> int:
    """The place at which the running sum of `weights` [n] passes the share `point` of the whole.

    Sums of blocks come first: a running sum in float64 over a whole vocabulary takes longer than
    everything else in a choice.
    """
    starts = np.arange(0, len(weights), _BLOCK)
    blocks = np.cumsum(np.add.reduceat(weights, starts, dtype=np.float64))
    target = point * blocks[-1]
    # A weight of 0 has an empty interval, which side="right" skips; rounding may pass the end.
    block = min(int(np.searchsorted(blocks, target, side="right")), len(starts) - 1)
    before = blocks[block - 1] if block else 0.0
    inner = np.cumsum(weights[starts[block] : starts[block] + _BLOCK], dtype=np.float64)
    place = min(int(np.searchsorted(inner, target - before, side="right")), len(inner) - 1)
    return int(starts[block]) + place


def _tempered(scores: Logits, temperature: float) -> Logits:
    """Scores relative to the best one, divided by the temperature; the best is 0."""
    with np.errstate(over="ignore"):  # a very small temperature sends the others to -inf, rightly
        tempered: Logits = (scores - scores.max()) / np.float32(max(temperature, _COLDEST))
    return tempered


def _possible(tempered: Logits, top_k: int) -> Ids:
    if 0 < top_k < len(tempered):
        best = largest(tempered, top_k)
        return best[tempered[best] > -np.inf]
    return np.flatnonzero(tempered > _NEGLIGIBLE)


def _within_sigmas(ids: Ids, tempered: Logits, count: float) -> Ids:
    # The deviation is that of the whole vocabulary, whatever top-k left, as in the paper.
    spread = tempered[tempered > -np.inf].std(dtype=np.float64)
    kept: Ids = ids[tempered[ids] >= -count * spread]
    return kept


def _typical(ids: Ids, weights: Floats, mass: float) -> tuple[Ids, Floats]:
    """Keep the tokens whose surprise is nearest to the distribution's entropy."""
    probabilities = weights / weights.sum(dtype=np.float64)
    surprise = -np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    entropy = float((probabilities * surprise).sum())
    kept = _smallest_set(-np.abs(surprise - entropy), probabilities, mass)
    return ids[kept], weights[kept]


def _smallest_set(ranks: Floats, weights: Floats, mass: float) -> Ids:
    """Places of the highest `ranks` whose weights just reach `mass` of their sum; at least one.

    The ranks are partitioned, not sorted: a nucleus is small, a vocabulary is not.
    """
    wanted = mass * float(weights.sum(dtype=np.float64))
    guess = _FIRST_GUESS
    while True:
        places = largest(ranks, guess)
        cumulative = np.cumsum(weights[places], dtype=np.float64)
        if cumulative[-1] >= wanted or len(places) == len(weights):
            needed = int(np.searchsorted(cumulative, wanted, side="left")) + 1
            return places[:needed]
        guess *= 32


def _without_top_choices(
    ids: Ids, weights: Floats, sampling: Sampling, random: np.random.Generator
) -> tuple[Ids, Floats]:
    """XTC: now and then drop all probable tokens but the least probable of them."""
    # Drawn in any case, so that the sequence of random numbers does not depend on the text.
    if random.random() >= sampling.xtc_probability:
        return ids, weights
    above = np.flatnonzero(weights >= sampling.xtc_threshold * weights.sum(dtype=np.float64))
    if len(above) < 2:
        return ids, weights
    kept = np.ones(len(ids), dtype=bool)
    kept[above] = False
    kept[above[np.argmin(weights[above])]] = True
    return ids[kept], weights[kept]
