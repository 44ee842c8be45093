"""Rotary position embeddings: queries and keys are turned by an angle that grows with position.

RoFormer (Su et al. 2021, arXiv:2104.09864), in the half-split layout of the Llama checkpoints:
dimension i is paired with i + head_dim / 2, not with i + 1.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from gptdesk.model.config import ModelConfig

_CPU = torch.device("cpu")


def inverse_frequencies(config: ModelConfig, device: torch.device = _CPU) -> Tensor:
    """Angle per position of each pair, in radians: float32 (head_dim / 2,). Do not change it.

    Computed once for a model and kept outside of it: a buffer of the module would be left
    without data by loading from the meta device.
    """
    if torch.compiler.is_compiling():  # which makes a constant of it, and warns of caches
        return _frequencies(config, device)
    return _cached_frequencies(config, device)


def _frequencies(config: ModelConfig, device: torch.device) -> Tensor:
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    return (1.0 / config.rope_theta**exponents).to(device)


@functools.lru_cache(maxsize=16)
def _cached_frequencies(config: ModelConfig, device: torch.device) -> Tensor:
    # An inference tensor, once cached, could never be part of a training step.
    with torch.inference_mode(mode=False):
        return _frequencies(config, device)


def rotation(inverse: Tensor, positions: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every angle.

    Args:
        inverse: (head_dim / 2,) from `inverse_frequencies`.
        positions: (T,) absolute positions.
        dtype: of the result; the angles themselves are always computed in float32, as in half
            precision neighbouring positions above 2,048 would fall together.

    Returns:
        cos, sin, each (T, head_dim).
    """
    angles = positions.to(torch.float32)[:, None] * inverse[None, :]  # (T, head_dim / 2)
    angles = torch.cat((angles, angles), dim=-1)  # (T, head_dim)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn x (B, n_head, T, head_dim) by the angles whose cos and sin are (T, head_dim)."""
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
