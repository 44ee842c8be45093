"""How rotary positions are stretched beyond the context a model was first trained for; no torch.

One class per method. All of them change the rotary frequencies only: without the change a model
still runs, and writes nonsense.
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
class DynamicScaling:
    """A larger base for texts longer than the context, and no change for all others.

    Beyond the context its angles depend on the length of the whole text, so that keys in a cache
    would be those of a shorter one. No text here grows longer than the context: angles stay
    plain, and `factor` is kept for writing config.json only.
    """

    factor: float

    def __post_init__(self) -> None:
        _check_positive(factor=self.factor)


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


RopeScaling = LinearScaling | DynamicScaling | Llama3Scaling | YarnScaling


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < _LIMIT:
            raise _invalid(name, value, "above 0 and below 10^9")


def _invalid(name: str, value: float, wanted: str) -> CheckpointError:
    return CheckpointError(
        f"The model's rotary positions are stretched with {name} = {value!r}, "
        "which cannot be right.",
        f"It must be {wanted}. Download the model again, or correct its config.json.",
    )
