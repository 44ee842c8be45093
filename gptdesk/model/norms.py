"""Normalisation layers, chosen by the config's flag."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gptdesk.model.config import ModelConfig


class RMSNorm(nn.Module):
    """x / sqrt(mean(x²) + eps) * weight (Zhang & Sennrich 2019, arXiv:1910.07467).

    With `unit_offset` the factor is 1 + weight, applied in float32: Gemma's weights are that
    small a difference from one that half precision would swallow it.
    """

    def __init__(self, size: int, eps: float, *, unit_offset: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size) if unit_offset else torch.ones(size))
        self.eps = eps
        self.unit_offset = unit_offset

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension of x (…, size)."""
        # The statistics need float32: squares of bf16 activations lose the small channels.
        wide = x.float()
        wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        if self.unit_offset:
            return (wide * (1 + self.weight.float())).to(x.dtype)
        return wide.to(x.dtype) * self.weight


def make_norm(config: ModelConfig, size: int | None = None) -> nn.Module:
    """The normalisation that `config` asks for, over `size` channels (`hidden_size` if None)."""
    size = size or config.hidden_size
    if config.norm == "rmsnorm":
        return RMSNorm(size, config.norm_eps, unit_offset=config.norm_unit_offset)
    return nn.LayerNorm(size, eps=config.norm_eps, bias=config.norm_bias)
