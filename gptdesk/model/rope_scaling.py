"""How rotary positions are stretched beyond the context a model was first trained for; no torch.

One class per method. All of them change the rotary frequencies, some the length of queries and
keys too: without the change a model still runs, and writes nonsense.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptdesk.errors import CheckpointError

_LIMIT = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearScaling:
    """Every angle divided by `factor` (Chen et al. 2023, arXiv:2306.15595)."""

    factor: float

    def __post_init__(self) -> None:
        _check_positive(factor=self.factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorScaling:
    """Every pair's angle divided by a factor of its own, however that was found.

    Attributes:
        factors: divisor of each pair's angle, fastest first: as many as half the rotary
            dimensions.
        attention_factor: by which queries and keys grow, each.
    """

    factors: tuple[float, ...]
    attention_factor: float = 1.0

    def __post_init__(self) -> None:
        _check_factors("factors", self.factors)
        _check_positive(attention_factor=self.attention_factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicScaling:
    """A base that grows with the length of the text, beyond the context of the training.

    Each token is turned with the base that fits the length of the text at the time it is read;
    keys in a cache stay as they were (bloc97 and emozilla 2023, "dynamic NTK").

    Attributes:
        factor: how fast the base grows.
        original_context: tokens up to which it does not.
    """

    factor: float
    original_context: int

    def __post_init__(self) -> None:
        _check_positive(factor=self.factor, original_context=self.original_context)

    def growth(self, length: int) -> float:
        """By how much the base would grow in infinitely many dimensions: at least 1."""
        return 1 + self.factor * max(0.0, length / self.original_context - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongRopeScaling:
    """LongRoPE (Ding et al. 2024, arXiv:2402.13753): other factors for all tokens of long texts.

    Attributes:
        original_context: tokens of the first training.
        short_factors, long_factors: as `FactorScaling.factors`.
        attention_factor: by which queries and keys grow, each, in texts of any length.
    """

    original_context: int
    short_factors: tuple[float, ...]
    long_factors: tuple[float, ...]
    attention_factor: float

    def __post_init__(self) -> None:
        _check_positive(
            original_context=self.original_context, attention_factor=self.attention_factor
        )
        _check_factors("short_factor", self.short_factors)
        _check_factors("long_factor", self.long_factors)

    def at(self, length: int) -> FactorScaling:
        """The factors in a text of `length` tokens."""
        long = length > self.original_context
        return FactorScaling(
            factors=self.long_factors if long else self.short_factors,
            attention_factor=self.attention_factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Llama3Scaling:
    """Llama 3.1: slow angles divided by `factor`, fast ones kept, those between blended.

    Attributes:
        factor: divisor of the slow angles.
        original_context: tokens of the first training.
        low_freq_factor: turns within `original_context` up to which an angle is slow.
        high_freq_factor: turns from which it is fast.
    """

    factor: float
    original_context: int
    low_freq_factor: float
    high_freq_factor: float

    def __post_init__(self) -> None:
        _check_positive(
            factor=self.factor,
            original_context=self.original_context,
            low_freq_factor=self.low_freq_factor,
            high_freq_factor=self.high_freq_factor,
        )
        if self.high_freq_factor <= self.low_freq_factor:
            raise _invalid(
                "high_freq_factor", self.high_freq_factor, f"above {self.low_freq_factor!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class YarnScaling:
    """YaRN (Peng et al. 2023, arXiv:2309.00071): slow, fast and blended angles, by dimension.

    Attributes:
        factor: divisor of the slow angles.
        original_context: tokens of the first training.
        attention_factor: by which queries and keys grow, each.
        beta_fast: turns within `original_context` from which an angle is fast.
        beta_slow: turns up to which it is slow.
        truncate: the blend begins and ends at a whole dimension.
    """

    factor: float
    original_context: int
    attention_factor: float
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    truncate: bool = True

    def __post_init__(self) -> None:
        _check_positive(
            factor=self.factor,
            original_context=self.original_context,
            attention_factor=self.attention_factor,
            beta_fast=self.beta_fast,
            beta_slow=self.beta_slow,
        )


RopeScaling = (
    LinearScaling | FactorScaling | DynamicScaling | LongRopeScaling | Llama3Scaling | YarnScaling
)


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < _LIMIT:
            raise _invalid(name, value, "above 0 and below 10^9")


def _check_factors(name: str, factors: tuple[float, ...]) -> None:
    for factor in factors:
        _check_positive(**{name: factor})


def _invalid(name: str, value: float, wanted: str) -> CheckpointError:
    return CheckpointError(
        f"The model's rotary positions are stretched with {name} = {value!r}, "
        "which cannot be right.",
        f"It must be {wanted}. Download the model again, or correct its config.json.",
    )
