"""How low-rank adapters are shaped and trained; importable without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gptdesk.errors import OptionError

ALL_LINEAR = "all-linear"
"""As `target_modules`: every linear layer of every block, the output matrix excluded."""

MAX_RANK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSettings:
    """Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): W stays, B · A is learned beside it.

    Attributes:
        rank: rows of A and columns of B.
        alpha: the product counts alpha / rank times.
        dropout: share of the inputs of A that is dropped while training.
        target_modules: which linear layers, by the last parts of their names in our GPT
            ("q_proj", "mlp.up_proj", "layers.0.self_attn.o_proj"), or `ALL_LINEAR`.
        rslora: alpha / sqrt(rank) instead (Kalajdzievski 2023, arXiv:2312.03732).
        bias: "none": biases of the model are not trained.
        rank_pattern, alpha_pattern: other values for layers, named as in `target_modules`.

    Raises:
        OptionError: a value is out of range, or of a method that is not built.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0
    target_modules: tuple[str, ...] | str = ALL_LINEAR
    rslora: bool = False
    bias: str = "none"
    rank_pattern: Mapping[str, int] = field(default_factory=dict)
    alpha_pattern: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for rank in (self.rank, *self.rank_pattern.values()):
            if type(rank) is not int or not 1 <= rank <= MAX_RANK:
                raise OptionError(f"The rank of an adapter cannot be {rank!r}.", "8 is usual.")
        for alpha in (self.alpha, *self.alpha_pattern.values()):
            if not 0 < alpha < math.inf:
                raise OptionError(
                    f"alpha of an adapter cannot be {alpha!r}.", "Twice the rank is usual."
                )
        if not 0 <= self.dropout < 1:
            raise OptionError(
                f"The dropout of an adapter cannot be {self.dropout!r}.",
                "Give a share from 0 to below 1.",
            )
        if self.bias != "none":
            raise OptionError(
                f"Adapters that train biases (bias = {self.bias!r}) are not built.",
                'Leave it at "none".',
            )
        if not self.target_modules or (
            isinstance(self.target_modules, str) and self.target_modules != ALL_LINEAR
        ):
            raise OptionError(
                f"target_modules = {self.target_modules!r} names no layers.",
                f'Give a list such as ["q_proj", "v_proj"], or "{ALL_LINEAR}".',
            )

    def rank_of(self, name: str) -> int:
        """The rank of the layer with this name."""
        return next((n for key, n in self.rank_pattern.items() if is_named(name, key)), self.rank)

    def scaling_of(self, name: str) -> float:
        """What the product B · A of the layer with this name is multiplied by."""
        patterns = self.alpha_pattern.items()
        alpha = next((value for key, value in patterns if is_named(name, key)), self.alpha)
        return scaling(alpha, self.rank_of(name), rslora=self.rslora)


def scaling(alpha: float, rank: int, *, rslora: bool) -> float:
    """What a product B · A of this rank is multiplied by."""
    return alpha / (math.sqrt(rank) if rslora else rank)


def is_named(name: str, ending: str) -> bool:
    """Whether a dotted name is `ending` or ends with it, whole parts only."""
    return name == ending or name.endswith(f".{ending}")
