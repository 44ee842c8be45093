"""Chooses the next token from the model's logits, as `Sampling` asks. Numpy only."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gptdesk.errors import EngineError, OptionError
from gptdesk.generation import filters, penalties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gptdesk.engines.base import Logits
    from gptdesk.generation.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Choice:
    """A chosen token.

    Attributes:
        id: its id.
        logprob: natural log of the probability that the model itself gave it: temperature 1,
            before bans, penalties and filters. None unless `top_logprobs` > 0.
        alternatives: the `top_logprobs` most probable ids by that same measure, best first.
    """

    id: int
    logprob: float | None = None
    alternatives: tuple[tuple[int, float], ...] = ()


class Sampler:
    """Applies one `Sampling`; the same seed and the same logits give the same choices.

    Raises:
        OptionError: a banned or biased id is not in the vocabulary.
    """

    def __init__(self, sampling: Sampling, vocab_size: int, seed: int) -> None:
        self._sampling = sampling
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._banned = _ids("banned", sampling.banned, vocab_size)
        self._biased = _ids("logit_bias", sampling.logit_bias, vocab_size)
        self._bias = _biases(sampling)

    def choose(
        self, logits: Logits, history: Sequence[int], suppressed: Collection[int] = ()
    ) -> Choice:
        """Choose the token that follows `history`.

        Args:
            logits: float32 [vocab_size]; left as it is.
            history: all ids so far, the prompt's included.
            suppressed: ids banned for this one choice.

        Raises:
            EngineError: the logits hold NaN or positive infinity.
            OptionError: every token is banned.
        """
        check_finite(logits)
        scores = self._edited(logits, history, suppressed)
        token = self._pick(scores)
        if not self._sampling.top_logprobs:
            return Choice(token)
        return self._with_logprobs(token, logits)

    def _edited(
        self, logits: Logits, history: Sequence[int], suppressed: Collection[int]
    ) -> Logits:
        """Bans, bias and penalties applied to a copy: float32 [vocab_size]."""
        scores = logits.astype(np.float32, copy=True)
        scores[self._biased] += self._bias
        scores[self._banned] = -np.inf
        scores[list(suppressed)] = -np.inf
        if not scores.max() > -np.inf:
            raise OptionError("Every token is banned.", "Ban fewer tokens.")
        penalties.apply(scores, history, self._sampling)
        return scores

    def _pick(self, scores: Logits) -> int:
        sampling = self._sampling
        if sampling.temperature == 0 or sampling.top_k == 1:
            return int(scores.argmax())
        ids, probabilities = filters.candidates(scores, sampling, self._random)
        return int(ids[filters.draw(probabilities, self._random.random())])

    def _with_logprobs(self, token: int, logits: Logits) -> Choice:
        top = float(logits.max())
        total = top + math.log(float(np.exp(logits - top, dtype=np.float64).sum()))
        best = filters.largest(logits, self._sampling.top_logprobs)
        pairs = tuple((int(i), float(logits[i]) - total) for i in best)
        return Choice(token, float(logits[token]) - total, pairs)


def check_finite(logits: Logits) -> None:
    """Raise `EngineError` if logits [..., vocab_size] hold NaN or positive infinity."""
    # The maximum of an array with a NaN is NaN: one pass finds both.
    if not np.isfinite(logits.max(axis=-1)).all():
        raise EngineError(
            "The model computed values that are not numbers (NaN or infinity).",
            "Its weights are damaged, or its precision is too low: try another precision (fp32).",
        )


def _ids(name: str, ids: Collection[int], vocab_size: int) -> NDArray[np.int64]:
    for token in ids:
        if type(token) is not int or not 0 <= token < vocab_size:
            raise OptionError(
                f"{name} names the token id {token!r}; this model has 0 … {vocab_size - 1}."
            )
    return np.array(list(ids), dtype=np.int64)


def _biases(sampling: Sampling) -> NDArray[np.float32]:
    values = list(sampling.logit_bias.values())
    for value in values:
        if type(value) not in (int, float) or not abs(value) <= 1e6:
            raise OptionError(f"logit_bias holds {value!r}; a number from -10^6 to 10^6 is wanted.")
    return np.array(values, dtype=np.float32)
