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
from gptdesk.model.norms import make_norm
from gptdesk.model.rope import rotate

Rotation = tuple[Tensor, Tensor]


class Attention(nn.Module):
    """One attention layer of the GPT."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.head_dim = config.head_dim
        self.window = config.window(layer)
        self.scale = config.score_scale(layer)
        self.softcap = config.attention_softcap
        queries, keys = (n * config.head_dim for n in (config.num_heads, config.num_kv_heads))
        self.q_proj = nn.Linear(config.hidden_size, queries, bias=config.qkv_bias)
        self.k_proj = nn.Linear(config.hidden_size, keys, bias=config.qkv_bias)
        self.v_proj = nn.Linear(config.hidden_size, keys, bias=config.qkv_bias)
        self.o_proj = nn.Linear(queries, config.hidden_size, bias=config.attention_output_bias)
        queries, keys = config.qk_norm_sizes
        self.q_norm = make_norm(config, queries) if config.qk_norm is not None else None
        self.k_norm = make_norm(config, keys) if config.qk_norm is not None else None
        self.norm_heads = config.qk_norm == "head"

    def forward(
        self,
        x: Tensor,
        rotation: Rotation | None,
        cache: KVCache | None,
        same_document: Tensor | None = None,
    ) -> Tensor:
        """Let every new token look at itself and at all tokens before it.

        Args:
            x: (B, T, hidden_size).
            rotation: cos and sin, each (T, rotary dim); None for no turning.
            cache: held tokens of this sequence (then B is 1); None for none.
            same_document: (B, 1, T, T) true where both tokens belong to one document, for rows
                of several; only without a cache.

        Returns:
            (B, T, hidden_size).
        """
        q, k = self._normed(self.q_proj, self.q_norm, x), self._normed(self.k_proj, self.k_norm, x)
        v = self._heads(self.v_proj(x))
        if rotation is not None:
            q, k = rotate(q, *rotation), rotate(k, *rotation)
        if cache is not None:
            k, v = cache.update(self.layer, k, v)  # (1, n_kv_head, S, head_dim)
        if self.softcap is not None or (self.training and x.device.type == "cpu"):
            out = _attend_plain(q, k, v, self.scale, self.window, self.softcap, same_document)
        else:
            out = _attend(q, k, v, self.scale, self.window, same_document)
        out = out.transpose(1, 2).flatten(2)  # (B, T, n_head * head_dim)
        return cast("Tensor", self.o_proj(out))  # (B, T, hidden_size)

    def _normed(self, projection: nn.Linear, norm: nn.Module | None, x: Tensor) -> Tensor:
        """Queries or keys (B, n, T, head_dim) of x (B, T, hidden_size)."""
        flat = projection(x)  # (B, T, n * head_dim)
        if norm is None:
            return self._heads(flat)
        return norm(self._heads(flat)) if self.norm_heads else self._heads(norm(flat))

    def _heads(self, x: Tensor) -> Tensor:
        heads = x.view(*x.shape[:2], -1, self.head_dim)  # (B, T, n, head_dim)
        return heads.transpose(1, 2)  # (B, n, T, head_dim)


def _attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: float,
    window: int | None,
    same_document: Tensor | None,
) -> Tensor:
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
    plain = new == total and (window is None or total <= window) and same_document is None
    mask = None if plain else _visible(new, total, window, q.device)
    if mask is not None and same_document is not None:
        mask = mask & same_document
    return F.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=mask,
        is_causal=plain,
        scale=scale,
        enable_gqa=q.shape[1] != k.shape[1],
    )


def _attend_plain(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    scale: float,
    window: int | None,
    softcap: float | None,
    same_document: Tensor | None,
) -> Tensor:
    """The same as two matrix products and a softmax.

    For scores that are capped, which the fused kernel cannot do, and for training on a CPU:
    there the backward pass of the fused kernel takes about three times as long in bf16.
    """
    groups = q.shape[1] // k.shape[1]
    k, v = (x.repeat_interleave(groups, dim=1) if groups > 1 else x for x in (k, v))
    visible = _visible(q.shape[2], k.shape[2], window, q.device)
    if same_document is not None:
        visible = visible & same_document
    if softcap is None:
        return _masked_scores(q, k, visible, scale).softmax(-1) @ v
    scores = torch.tanh(q @ k.transpose(-2, -1) * (scale / softcap)) * softcap
    return scores.masked_fill(~visible, float("-inf")).softmax(-1) @ v


def _masked_scores(q: Tensor, k: Tensor, visible: Tensor, scale: float) -> Tensor:
    """Scores (B, n_head, T, S), -inf where not visible, scaled and masked by the product itself.

    Doing either afterwards passes over all scores again, forwards and backwards: the largest
    tensors of a layer.
    """
    mask = torch.zeros(visible.shape, dtype=q.dtype, device=q.device)
    mask = mask.masked_fill(~visible, float("-inf"))  # (T, S) or (B, 1, T, S)
    if mask.ndim > 2:
        mask = mask.expand(-1, q.shape[1], -1, -1).flatten(0, 1)  # (B * n_head, T, S)
    product = torch.baddbmm(mask, q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2), alpha=scale)
    return product.view(*q.shape[:2], *product.shape[1:])  # (B, n_head, T, S)


def _visible(new: int, total: int, window: int | None, device: torch.device) -> Tensor:
    """True where one of the last `new` of `total` tokens may look: (T, S)."""
    held = total - new
    mask = torch.ones(new, total, dtype=torch.bool, device=device).tril(held)
    return mask if window is None else mask.triu(held - window + 1)
