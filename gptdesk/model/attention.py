"""Causal self-attention with grouped queries, rotary positions and a KV cache.

Shapes: B batch, T new tokens, S held and new tokens together. The cache keeps every token even
where a layer looks at a window of the newest only, so that forgetting a tail stays exact.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gptdesk.model.cache import KVCache
from gptdesk.model.config import ModelConfig
from gptdesk.model.norms import RMSNorm
from gptdesk.model.rope import rotate

Rotation = tuple[Tensor, Tensor]


class Attention(nn.Module):
    """One attention layer of the GPT."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.head_dim = config.head_dim
        self.window = config.window(layer)
        self.scale = config.head_dim**-0.5 / (layer + 1 if config.scale_by_layer else 1)
        queries, keys = (n * config.head_dim for n in (config.num_heads, config.num_kv_heads))
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=config.qkv_bias)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=config.attention_output_bias)

        self.q_norm = RMSNorm(config.head_dim, config.norm_eps) if config.qk_norm else None
        self.k_norm = RMSNorm(config.head_dim, config.norm_eps) if config.qk_norm else None

    def forward(self, x: Tensor, rotation: Rotation | None, cache: KVCache | None) -> Tensor:
        """Let every new token look at itself and at all tokens before it.

        Args:
            x: (B, T, hidden_size).
            rotation: cos and sin, each (T, head_dim); None for learned positions.
            cache: held tokens of this sequence (then B is 1); None for none.

        Returns:
            (B, T, hidden_size).
        """
        q, k, v = (self._heads(proj(x)) for proj in (self.q_proj, self.k_proj, self.v_proj))
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        if rotation is not None:
            q, k = rotate(q, *rotation), rotate(k, *rotation)
        if cache is not None:
            k, v = cache.update(self.layer, k, v)  # (1, n_kv_head, S, head_dim)
        attend = _attend_plain if self.training and x.device.type == "cpu" else _attend
        out = attend(q, k, v, self.scale, self.window)  # (B, n_head, T, head_dim)
        out = out.transpose(1, 2).flatten(2)  # (B, T, n_head * head_dim)
        return cast("Tensor", self.o_proj(out))  # (B, T, hidden_size)

    def _heads(self, x: Tensor) -> Tensor:
        heads = x.view(*x.shape[:2], -1, self.head_dim)  # (B, T, n, head_dim)
        return heads.transpose(1, 2)  # (B, n, T, head_dim)


def _attend(q: Tensor, k: Tensor, v: Tensor, scale: float, window: int | None) -> Tensor:
    """Fused attention: q (B, n_head, T, head_dim), k and v (B, n_kv_head, S, head_dim)."""
    new = q.shape[2]
    if window is not None:
        # What has left the window of the first new token is behind those of all others too.
        k, v = (x[:, :, max(0, x.shape[2] - new + 1 - window) :] for x in (k, v))
    total = k.shape[2]
    if new == 1:
        # One token sees everything, so the queries that share a key can stand as rows of one
        # matrix: keys and values are then read once for each group and not for each head.
        rows = q.reshape(q.shape[0], k.shape[1], -1, q.shape[3])  # (B, n_kv_head, group, head_dim)
        return F.scaled_dot_product_attention(rows, k, v, scale=scale).reshape(q.shape)
    # is_causal aligns the mask with the upper left corner; held tokens need the lower right.
    plain = new == total and (window is None or total <= window)
    mask = None if plain else _visible(new, total, window, q.device)
    return F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=mask,
        is_causal=plain,
        scale=scale,
        enable_gqa=q.shape[1] != k.shape[1],
    )


def _attend_plain(q: Tensor, k: Tensor, v: Tensor, scale: float, window: int | None) -> Tensor:
    """The same as two matrix products and a softmax, for training on a CPU without a cache.

    There the backward pass of the fused kernel takes about three times as long in bf16.
    """
    groups = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(groups, dim=1) if groups > 1 else x for x in (k, v))
    scores = q @ k.transpose(-2, -1) * scale  # (B, n_head, T, T)
    visible = _visible(q.shape[2], q.shape[2], window, q.device)
    return scores.masked_fill(~visible, float("-inf")).softmax(-1) @ v


def _visible(new: int, total: int, window: int | None, device: torch.device) -> Tensor:
    """True where one of the last `new` of `total` tokens may look: (T, S)."""
    held = total - new
    mask = torch.ones(new, total, dtype=torch.bool, device=device).tril(held)
    return mask if window is None else mask.triu(held - window + 1)
