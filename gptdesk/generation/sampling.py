"""Sampling settings: how the next token is chosen from the model's probabilities."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from gptdesk.errors import OptionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are chosen. The defaults of every filter are neutral ("off").

    Order: bans and logit bias, penalties, temperature, then top-k, top-n-sigma, typical, top-p,
    min-p, XTC on the tempered distribution.

    Attributes:
        max_new_tokens: stop after this many tokens.
        min_new_tokens: do not end before this many.
        temperature: divides the logits; 0 takes the most probable token, whatever else is set.
        top_k: keep the k most probable tokens; 0 is off (Fan et al. 2018, arXiv:1805.04833).
        top_p: keep the smallest set holding this mass (Holtzman et al. 2019, arXiv:1904.09751).
        min_p: drop tokens below this share of the best one's probability (arXiv:2407.01082).
        typical_p: locally typical sampling, 1 is off (Meister et al. 2022, arXiv:2202.00666).
        top_n_sigma: keep logits within n standard deviations of the best, 0 is off
            (Tang et al. 2024, arXiv:2411.07641).
        repetition_penalty: divides positive and multiplies negative logits of tokens already
            seen, 1 is off (Keskar et al. 2019, arXiv:1909.05858).
        repetition_window: how many of the last tokens, the prompt's included, count as seen by
            the penalties; 0 means all.
        presence_penalty, frequency_penalty: subtracted once, or per occurrence, in the window.
        no_repeat_ngram_size: forbid repeating any n-gram of this size; 0 is off.
        dry_multiplier, dry_base, dry_allowed_length: "don't repeat yourself": subtract
            multiplier * base^(n - allowed) from a token that would extend a repeat of length n;
            multiplier 0 is off.
        xtc_probability, xtc_threshold: "exclude top choices": with this probability remove all
            tokens above the threshold but the least probable of them; probability 0 is off.
        logit_bias: added to the logits of these ids.
        banned: ids that never come.
        seed: None draws one; the same seed and settings give the same text.
        stop: texts that end the generation; they are not part of it.
        top_logprobs: how many alternatives each `Token` carries.

    Raises:
        OptionError: a value is out of range.
    """

    max_new_tokens: int = 128
    min_new_tokens: int = 0
    temperature: float = 0.8
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    top_n_sigma: float = 0.0
    repetition_penalty: float = 1.0
    repetition_window: int = 0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    no_repeat_ngram_size: int = 0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    banned: tuple[int, ...] = ()
    seed: int | None = None
    stop: tuple[str, ...] = ()
    top_logprobs: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise OptionError(f"{name} must be a number, not {value!r}.")
            if not math.isfinite(value) or not low <= value <= high:
                raise OptionError(f"{name} = {value} is outside {low} … {high}.")
            if name in _INTEGERS and not isinstance(value, int):
                raise OptionError(f"{name} must be a whole number, not {value!r}.")
        self._check_others()

    def _check_others(self) -> None:
        # As they came: JSON and callers give what they like.
        seed: Any = self.seed
        if seed is not None and (type(seed) is not int or not 0 <= seed < 1 << 63):
            raise OptionError(f"seed = {seed!r} is no whole number in 0 … 2^63 - 1.")
        stops: Any = self.stop
        texts = isinstance(stops, list | tuple) and all(isinstance(t, str) and t for t in stops)
        if not texts:
            raise OptionError("stop must be a list of texts, none of them empty.")
        banned: Any = self.banned
        if isinstance(banned, str) or not isinstance(banned, Collection):
            raise OptionError("banned must be a list of token ids.")
        biases: Any = self.logit_bias
        if not isinstance(biases, Mapping):
            raise OptionError("logit_bias must map token ids to numbers.")

    def with_values(self, values: Mapping[str, Any]) -> Sampling:
        """A copy with these fields changed.

        Raises:
            OptionError: a name is unknown or a value out of range.
        """
        known = {f.name for f in fields(self)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise OptionError(f"Unknown sampling setting: {', '.join(unknown)}.")
        return Sampling(**({name: getattr(self, name) for name in known} | dict(values)))


_RANGES: dict[str, tuple[float, float]] = {
    "max_new_tokens": (1, 1_000_000),
    "min_new_tokens": (0, 1_000_000),
    "temperature": (0, 10),
    "top_k": (0, 1_000_000),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "typical_p": (0, 1),
    "top_n_sigma": (0, 100),
    "repetition_penalty": (0.01, 10),
    "repetition_window": (0, 1_000_000),
    "presence_penalty": (-10, 10),
    "frequency_penalty": (-10, 10),
    "no_repeat_ngram_size": (0, 100),
    "dry_multiplier": (0, 100),
    "dry_base": (1, 10),
    "dry_allowed_length": (1, 100),
    "xtc_probability": (0, 1),
    "xtc_threshold": (0, 1),
    "top_logprobs": (0, 100),
}
_INTEGERS = frozenset(
    {
        "max_new_tokens",
        "min_new_tokens",
        "top_k",
        "repetition_window",
        "no_repeat_ngram_size",
        "dry_allowed_length",
        "top_logprobs",
    }
)
