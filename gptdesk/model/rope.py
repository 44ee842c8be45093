"""Rotary position embeddings: queries and keys are turned by an angle that grows with position.

RoFormer (Su et al. 2021, arXiv:2104.09864), in the half-split layout of the Llama checkpoints:
dimension i is paired with i + dim / 2, not with i + 1.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor

from gptdesk.model.config import Rotary
from gptdesk.model.rope_scaling import (
    FactorScaling,
    LinearScaling,
    Llama3Scaling,
    LongRopeScaling,
    YarnScaling,
)

_CPU = torch.device("cpu")


def inverse_frequencies(rotary: Rotary, device: torch.device = _CPU) -> Tensor:
    """Angle per position of each pair, in radians: float32 (dim / 2,).

    Where angles depend on the length of the text, those of a short one; see `Rotary.at`.
    Do not change it: it is computed once for a model and kept outside of it, as a buffer
    of the module would be left without data by loading from the meta device.
    """
    if torch.compiler.is_compiling():  # which makes a constant of it, and warns of caches
        return _frequencies(rotary, device)
    return _cached_frequencies(rotary, device)


def _frequencies(rotary: Rotary, device: torch.device) -> Tensor:
    exponents = torch.arange(0, rotary.dim, 2, dtype=torch.float32) / rotary.dim
    return _stretched(1.0 / rotary.theta**exponents, rotary).to(device)


@functools.lru_cache(maxsize=16)
def _cached_frequencies(rotary: Rotary, device: torch.device) -> Tensor:
    # An inference tensor, once cached, could never be part of a training step.
    with torch.inference_mode(mode=False):
        return _frequencies(rotary, device)


def magnitude(rotary: Rotary) -> float:
    """By how much rotation lengthens queries and keys; most methods leave them as they are."""
    match rotary.scaling:
        case YarnScaling() | FactorScaling() | LongRopeScaling() as scaling:
            return scaling.attention_factor
        case _:
            return 1.0


def _stretched(plain: Tensor, rotary: Rotary) -> Tensor:
    """The frequencies (dim / 2,) as `rotary.scaling` changes them."""
    match rotary.scaling:
        case LinearScaling(factor=factor):
            return plain / factor
        case FactorScaling(factors=factors) | LongRopeScaling(short_factors=factors):
            return plain / torch.tensor(factors, dtype=torch.float32)
        case Llama3Scaling() as scaling:
            low, high = scaling.low_freq_factor, scaling.high_freq_factor
            turns = plain * scaling.original_context / (2 * math.pi)
            return _blend(plain, scaling.factor, (turns - low) / (high - low))
        case YarnScaling() as scaling:
            return _blend(plain, scaling.factor, 1 - _yarn_ramp(rotary, scaling))
        case _:
            return plain


def _blend(plain: Tensor, factor: float, kept: Tensor) -> Tensor:
    """Divided by `factor` where `kept` is at most 0, unchanged where it is at least 1."""
    kept = kept.clamp(0, 1)
    return plain / factor * (1 - kept) + plain * kept


def _yarn_ramp(rotary: Rotary, scaling: YarnScaling) -> Tensor:
    """Rises by one between the pairs that turn `beta_fast` and `beta_slow` times: (dim / 2,).

    The last bound is taken among all dimensions though there are half as many pairs: so do the
    models' authors.
    """
    dim, theta = rotary.dim, rotary.theta

    def pair_that_turns(times: float) -> float:
        ratio = scaling.original_context / (times * 2 * math.pi)
        return dim * math.log(ratio) / (2 * math.log(theta))

    low, high = pair_that_turns(scaling.beta_fast), pair_that_turns(scaling.beta_slow)
    if scaling.truncate:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    pairs = torch.arange(dim // 2, dtype=torch.float32)
    return (pairs - low) / (high - low if high != low else 0.001)


def rotation(
    inverse: Tensor, positions: Tensor, dtype: torch.dtype, length: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every angle.

    Args:
        inverse: (dim / 2,) from `inverse_frequencies`.
        positions: (T,) absolute positions.
        length: factor of both, from `magnitude`.
        dtype: of the result; the angles themselves are always computed in float32, as in half
            precision neighbouring positions above 2,048 would fall together.

    Returns:
        cos, sin, each (T, dim).
    """
    angles = positions.to(torch.float32)[:, None] * inverse[None, :]  # (T, dim / 2)
    angles = torch.cat((angles, angles), dim=-1)  # (T, dim)
    return (angles.cos() * length).to(dtype), (angles.sin() * length).to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn x (B, n_head, T, head_dim) by the angles whose cos and sin are (T, dim).

    Dimensions of a head behind the first `dim` stay as they are.
    """
    dim = cos.shape[-1]
    if dim < x.shape[-1]:
        return torch.cat((rotate(x[..., :dim], cos, sin), x[..., dim:]), dim=-1)
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
