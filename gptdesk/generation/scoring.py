"""Probabilities of given text: how likely a continuation is, and the logits of every position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.errors import EngineError
from gptdesk.generation.context import CachedContext
from gptdesk.generation.sampler import check_finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gptdesk.engines.base import Logits

CHUNK = 256
"""Positions at once: 2,000 rows of a vocabulary of 152,000 would need 1.2 GB."""


def score(
    context: CachedContext,
    prompt_ids: Sequence[int],
    continuation_ids: Sequence[int],
    cancel: CancelFlag | None = None,
) -> float:
    """Natural log-probability of `continuation_ids` after `prompt_ids`, summed over its tokens.

    Raises:
        ContextOverflowError: both together are longer than the context.
        EngineError: the prompt is empty, or the engine failed or computed NaN.
        Cancelled: the person stopped it.
    """
    wanted = list(continuation_ids)
    if not wanted:
        return 0.0
    whole = len(prompt_ids) + len(wanted)
    context.check_room(whole)
    for _ in context.prefill(prompt_ids, cancel, whole=whole):
        raise_if_cancelled(cancel)
    total = float(_log_probabilities(context.logits[np.newaxis], wanted[:1]).sum())
    for start in range(0, len(wanted) - 1, CHUNK):
        raise_if_cancelled(cancel)
        fed = wanted[start : min(start + CHUNK, len(wanted) - 1)]
        rows = context.feed(fed, last=len(fed), whole=whole)
        total += float(_log_probabilities(rows, wanted[start + 1 : start + 1 + len(fed)]).sum())
    return total


def token_logits(
    context: CachedContext, ids: Sequence[int], cancel: CancelFlag | None = None
) -> Logits:
    """Logits after every one of `ids`: float32 [len(ids), vocab_size].

    Raises:
        ContextOverflowError: there are more ids than the context holds.
        EngineError: there is no id, or the engine failed.
        Cancelled: the person stopped it.
    """
    context.check_room(len(ids))
    return np.concatenate(list(_rows(context, list(ids), cancel)))


def log_probabilities(
    context: CachedContext, ids: Sequence[int], cancel: CancelFlag | None = None
) -> NDArray[np.float64]:
    """Natural log-probability of every token of `ids` but the first: float64 [len(ids) - 1].

    Raises:
        ContextOverflowError, EngineError, Cancelled: as `token_logits`.
    """
    context.check_room(len(ids))
    scores: list[NDArray[np.float64]] = []
    start = 1
    for rows in _rows(context, list(ids), cancel):
        following = ids[start : start + len(rows)]
        scores.append(_log_probabilities(rows[: len(following)], following))
        start += len(rows)
    return np.concatenate(scores)


def _rows(context: CachedContext, ids: list[int], cancel: CancelFlag | None) -> Iterator[Logits]:
    context.clear()
    if not ids:
        raise EngineError("There is no token to read.", "Give at least one token id.")
    for start in range(0, len(ids), CHUNK):
        raise_if_cancelled(cancel)
        fed = ids[start : start + CHUNK]
        yield context.feed(fed, last=len(fed), whole=len(ids))


def _log_probabilities(rows: Logits, ids: Sequence[int]) -> NDArray[np.float64]:
    """Log-softmax of `rows` [n, vocab_size] at one id each: float64 [n]."""
    check_finite(rows)
    top = rows.max(axis=1)
    totals = np.exp(rows - top[:, np.newaxis]).sum(axis=1, dtype=np.float64)
    chosen = rows[np.arange(len(ids)), list(ids)].astype(np.float64)
    log_probabilities: NDArray[np.float64] = chosen - top - np.log(totals)
    return log_probabilities
