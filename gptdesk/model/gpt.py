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
from gptdesk.model.config import ModelConfig, Rotary
from gptdesk.model.mlp import MLP
from gptdesk.model.norms import make_norm
from gptdesk.model.rope import inverse_frequencies, magnitude, rotation


class Block(nn.Module):
    """Attention and feed-forward, each added to the residual stream.

    A norm that the config does not ask for is the identity. What "post_attention_layernorm"
    normalises differs: see `ModelConfig.block_norm_names`.
    """

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = Attention(config, layer)
        self.mlp = MLP(config)
        norms = {name: make_norm(config) for name in config.block_norm_names}
        self.input_layernorm = norms.get("input_layernorm", nn.Identity())
        self.post_attention_layernorm = norms.get("post_attention_layernorm", nn.Identity())
        self.pre_feedforward_layernorm = norms.get("pre_feedforward_layernorm", nn.Identity())
        self.post_feedforward_layernorm = norms.get("post_feedforward_layernorm", nn.Identity())
        self.norms_outputs = config.block_norms != "before"
        self.residual = config.residual
        self.residual_scale = config.residual_scale

    def forward(
        self,
        x: Tensor,
        rotary: Rotation | None,
        cache: KVCache | None,
        same_document: Tensor | None = None,
    ) -> Tensor:
        """Refine x (B, T, hidden_size); shapes as in `Attention.forward`."""
        normed = self.input_layernorm(x)
        attended = self.self_attn(normed, rotary, cache, same_document)
        if self.norms_outputs:
            attended = self.post_attention_layernorm(attended)
        if self.residual == "parallel_shared_norm":
            return cast("Tensor", x + attended + self.mlp(normed))
        if self.residual == "parallel":
            return cast("Tensor", x + attended + self.mlp(self.post_attention_layernorm(x)))
        x = self._add(x, attended)
        return self._add(x, self._feed_forward(x))

    def _add(self, x: Tensor, change: Tensor) -> Tensor:
        return x + (change if self.residual_scale == 1 else change * self.residual_scale)

    def _feed_forward(self, x: Tensor) -> Tensor:
        if not self.norms_outputs:
            return cast("Tensor", self.mlp(self.post_attention_layernorm(x)))
        inner = self.mlp(self.pre_feedforward_layernorm(x))
        return cast("Tensor", self.post_feedforward_layernorm(inner))


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
        self.rotaries = tuple(config.rotary(layer) for layer in range(config.num_layers))

    def forward(
        self, ids: Tensor, cache: KVCache | None, segments: Tensor | None = None, whole: int = 0
    ) -> Tensor:
        """Hidden states (B, T, hidden_size) of ids (B, T); `whole` as in `GPT.forward`.

        `segments` (B, T) numbers the documents that were packed into a row, for training:
        attention then stays inside each of them. It goes with no cache.
        """
        start = cache.length if cache is not None else 0
        positions = torch.arange(start, start + ids.shape[1], device=ids.device)  # (T,)
        x = self.embed_tokens(ids)  # (B, T, hidden_size)
        if self.config.embedding_scale != 1:
            x = x * self.config.embedding_scale
        if self.embed_positions is not None:
            x = x + self.embed_positions(positions)
        rotations = self._rotations(positions, max(whole, start + ids.shape[1]), x.dtype)
        if cache is not None:
            cache.reserve(start + ids.shape[1])
        same_document = None
        if segments is not None:
            same_document = (segments[:, :, None] == segments[:, None, :])[:, None]  # (B, 1, T, T)
        for block, rotary in zip(self.layers, self.rotaries, strict=True):
            x = block(x, rotations[rotary], cache, same_document)
        if cache is not None:
            cache.advance(ids.shape[1])
        return cast("Tensor", self.norm(x))

    def _rotations(
        self, positions: Tensor, whole: int, dtype: torch.dtype
    ) -> dict[Rotary | None, Rotation | None]:
        """The angles of `positions` (T,) for every kind of rotation that a layer asks for."""
        rotations: dict[Rotary | None, Rotation | None] = {None: None}
        for rotary in self.rotaries:
            if rotary is not None and rotary not in rotations:
                inverse = inverse_frequencies(rotary.at(whole), positions.device)
                rotations[rotary] = rotation(inverse, positions, dtype, magnitude(rotary))
        return rotations


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
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=config.head_bias)
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

    def forward(
        self,
        ids: Tensor,
        cache: KVCache | None = None,
        last: int | None = None,
        whole: int = 0,
    ) -> Tensor:
        """Predict the token after each of the given ones.

        Args:
            ids: (B, T) token ids; with a cache B is 1 and they continue what it holds.
            cache: extended in place by T tokens.
            last: only the logits of the last `last` positions; None for all.
            whole: length of the text these ids are part of, where more of it is to follow.

        Returns:
            Logits (B, last, vocab_size) in the working precision.
        """
        hidden = self.model(ids, cache, whole=whole)
        if last is not None:
            hidden = hidden[:, hidden.shape[1] - last :]
        return self.logits(hidden)

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (…, vocab_size) of the decoder's hidden states (…, hidden_size)."""
        logits: Tensor = self.lm_head(hidden)
        if self.config.logit_divisor != 1:
            logits = logits / self.config.logit_divisor
        cap = self.config.logit_softcap
        return logits if cap is None else torch.tanh(logits / cap) * cap
