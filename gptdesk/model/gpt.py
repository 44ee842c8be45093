"""The GPT: one decoder-only transformer for every family that gptdesk runs.

    ids ─► embed_tokens (+ embed_positions) ─► block × num_layers ─► norm ─► lm_head ─► logits

    block:  x ─┬─► input_layernorm ─► self_attn ─► + ─┬─► post_attention_layernorm ─► mlp ─► + ─►
               └───────────────────────────────────┘  └───────────────────────────────────┘

Parameters carry the names of Hugging Face's Llama, so most checkpoints map by identity; the
odd ones are renamed and reshaped in `checkpoints/families`. Shapes: B batch, T new tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from gptdesk.model.attention import Attention, Rotation
from gptdesk.model.cache import KVCache
from gptdesk.model.config import ModelConfig
from gptdesk.model.mlp import MLP
from gptdesk.model.norms import make_norm
from gptdesk.model.rope import inverse_frequencies, magnitude, rotation


class Block(nn.Module):
    """Attention and feed-forward, each normalised before and added to the residual stream."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.input_layernorm = make_norm(config)
        self.self_attn = Attention(config, layer)
        self.post_attention_layernorm = make_norm(config)
        self.mlp = MLP(config)

    def forward(self, x: Tensor, rotary: Rotation | None, cache: KVCache | None) -> Tensor:
        """Refine x (B, T, hidden_size); shapes as in `Attention.forward`."""
        x = x + self.self_attn(self.input_layernorm(x), rotary, cache)
        return cast("Tensor", x + self.mlp(self.post_attention_layernorm(x)))


class Decoder(nn.Module):
    """Everything below the output projection."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_positions = (
            nn.Embedding(config.context_length, config.hidden_size)
            if config.position == "learned"
            else None
        )
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.num_layers))
        self.norm = make_norm(config)
        self.config = config

    def forward(self, ids: Tensor, cache: KVCache | None) -> Tensor:
        """Hidden states (B, T, hidden_size) of ids (B, T)."""
        start = cache.length if cache is not None else 0
        positions = torch.arange(start, start + ids.shape[1], device=ids.device)  # (T,)
        x = self.embed_tokens(ids)  # (B, T, hidden_size)
        rotary = None
        if self.embed_positions is not None:
            x = x + self.embed_positions(positions)
        else:
            inverse = inverse_frequencies(self.config, ids.device)
            rotary = rotation(inverse, positions, x.dtype, magnitude(self.config))
        if cache is not None:
            cache.reserve(start + ids.shape[1])
        for block in self.layers:
            x = block(x, rotary, cache)
        if cache is not None:
            cache.advance(ids.shape[1])
        return cast("Tensor", self.norm(x))


class _SkipInit(TorchFunctionMode):
    """Leaves new parameters as they are.

    Random numbers on the meta device are nothing, yet drawing them makes torch import its
    compiler: 1.3 seconds and 70 MB.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


class GPT(nn.Module):
    """A decoder-only language model."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.tie_weights()

    @classmethod
    def skeleton(cls, config: ModelConfig) -> GPT:
        """A GPT without memory for its parameters, to be filled by loading with `assign=True`."""
        with torch.device("meta"), _SkipInit():
            return cls(config)

    def tie_weights(self) -> None:
        """Make the output projection share the embedding's storage, where the config says so.

        Call it again after loading with `assign=True`, which replaces parameters.
        """
        if self.config.tied_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    def forward(self, ids: Tensor, cache: KVCache | None = None, last: int | None = None) -> Tensor:
        """Predict the token after each of the given ones.

        Args:
            ids: (B, T) token ids; with a cache B is 1 and they continue what it holds.
            cache: extended in place by T tokens.
            last: only the logits of the last `last` positions; None for all.

        Returns:
            Logits (B, last, vocab_size) in the working precision.
        """
        hidden = self.model(ids, cache)
        if last is not None:
            hidden = hidden[:, hidden.shape[1] - last :]
        return cast("Tensor", self.lm_head(hidden))
