"""The shape of a GPT as one validated dataclass, importable without torch.

A model family is a point in the space of these flags. Code that computes reads the flags and
never the family's name; `architecture` is kept for display and for writing config.json only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from gptdesk.errors import CheckpointError
from gptdesk.model.rope_scaling import (
    DynamicScaling,
    FactorScaling,
    LongRopeScaling,
    RopeScaling,
    YarnScaling,
)

Norm = Literal["layernorm", "rmsnorm"]
Activation = Literal["gelu", "gelu_tanh", "quick_gelu", "relu", "relu2", "silu", "tanh"]
Position = Literal["learned", "rope"]
BlockNorms = Literal["before", "after", "around"]
Residual = Literal["sequential", "parallel", "parallel_shared_norm"]
QKNorm = Literal["head", "width"]

MAX_VOCAB = 1 << 22
MAX_LAYERS = 1024
MAX_WIDTH = 1 << 20
MAX_CONTEXT = 1 << 24
MAX_FACTOR = 1 << 20
QUICK_GELU = 1.702
"""Factor in x * sigmoid(factor * x), an approximation of GELU (Hendrycks & Gimpel 2016)."""


@dataclass(frozen=True, slots=True)
class Rotary:
    """Rotary positions of a layer: dimensions turned, base of the frequencies, their stretching."""

    dim: int
    theta: float
    scaling: RopeScaling | None

    def at(self, length: int) -> Rotary:
        """The same in a text of `length` tokens, for the methods that depend on that."""
        match self.scaling:
            case LongRopeScaling() as scaling:
                return Rotary(self.dim, self.theta, scaling.at(length))
            case DynamicScaling() as scaling:
                growth = scaling.growth(length) ** (self.dim / (self.dim - 2))
                return Rotary(self.dim, self.theta * growth, None)
            case _:
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape and flags of one decoder-only transformer.

    Attributes:
        architecture: the family's `model_type` in Hugging Face configs, for display and saving.
        vocab_size: rows of the token embedding.
        context_length: tokens the model can attend to.
        num_layers: transformer blocks.
        hidden_size: width of the residual stream.
        num_heads: query heads.
        num_kv_heads: key/value heads; fewer than `num_heads` is grouped-query attention
            (Ainslie et al. 2023, arXiv:2305.13245).
        head_dim: width of one head.
        intermediate_size: inner width of the feed-forward layer.
        norm: LayerNorm, or RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467).
        norm_eps: added to the variance.
        norm_bias: LayerNorm adds a bias.
        norm_unit_offset: RMSNorm multiplies by one more than its weight.
        block_norms: attention and feed-forward are normalised at their input, at their output,
            or at both (Xiong et al. 2020, arXiv:2002.04745).
        residual: feed-forward reads what attention wrote, or both read the same input, each
            through a norm of its own or through one (Wang & Komatsuzaki 2021, GPT-J).
        residual_scale: factor of what attention and feed-forward add.
        embedding_scale: factor of token embeddings.
        activation: non-linearity of the feed-forward layer.
        gated_mlp: act(gate(x)) * up(x) instead of act(up(x)) (Shazeer 2020, arXiv:2002.05202).
        position: learned absolute embeddings, or rotary ones (Su et al. 2021, arXiv:2104.09864).
        rope_theta: base of the rotary frequencies.
        rope_scaling: how these are stretched; None for not at all.
        rotary_dim: how many dimensions of a head, its first, are turned; None for all.
        sliding_rope_theta: base in the layers with a window, never stretched; None for the same
            positions everywhere.
        rope_free_layers: indices of layers without positions (Kazemnejad et al. 2023,
            arXiv:2305.19466).
        qkv_bias, attention_output_bias, mlp_bias: which projections add a bias.
        qk_norm: queries and keys are normalised before rotation, each head by itself or all
            heads as one vector; None for not at all (Henry et al. 2020, arXiv:2010.04245).
        attention_scale: factor of the attention scores; None for head_dim**-0.5.
        attention_softcap: scores are squeezed to ±this by a tanh; None for not at all
            (Gemma 2, arXiv:2408.00118).
        sliding_window: tokens that a layer sees, the newest included; None for all.
        full_attention_layers: indices of the layers that see everything nevertheless.
        tied_embeddings: the output projection is the token embedding.
        head_bias: the output projection adds a bias.
        logit_divisor: logits are divided by it.
        logit_softcap: logits are squeezed to ±this by a tanh; None for not at all.
        scale_by_layer: attention scores are also divided by (layer index + 1).

    Raises:
        CheckpointError: a value is out of range or contradicts another.
    """

    architecture: str
    vocab_size: int
    context_length: int
    num_layers: int
    hidden_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    intermediate_size: int
    norm: Norm = "rmsnorm"
    norm_eps: float = 1e-5
    norm_bias: bool = True
    norm_unit_offset: bool = False
    block_norms: BlockNorms = "before"
    residual: Residual = "sequential"
    residual_scale: float = 1.0
    embedding_scale: float = 1.0
    activation: Activation = "silu"
    gated_mlp: bool = True
    position: Position = "rope"
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    rotary_dim: int | None = None
    sliding_rope_theta: float | None = None
    rope_free_layers: tuple[int, ...] = ()
    qkv_bias: bool = False
    attention_output_bias: bool = False
    mlp_bias: bool = False
    qk_norm: QKNorm | None = None
    attention_scale: float | None = None
    attention_softcap: float | None = None
    sliding_window: int | None = None
    full_attention_layers: tuple[int, ...] = ()
    tied_embeddings: bool = False
    head_bias: bool = False
    logit_divisor: float = 1.0
    logit_softcap: float | None = None
    scale_by_layer: bool = False

    def __post_init__(self) -> None:
        for name, limit in (
            ("vocab_size", MAX_VOCAB),
            ("context_length", MAX_CONTEXT),
            ("num_layers", MAX_LAYERS),
            ("hidden_size", MAX_WIDTH),
            ("num_heads", MAX_WIDTH),
            ("num_kv_heads", MAX_WIDTH),
            ("head_dim", MAX_WIDTH),
            ("intermediate_size", MAX_WIDTH),
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limit:
                raise _invalid(name, value, f"a whole number from 1 to {limit}")
        if self.sliding_window is not None and self.sliding_window < 1:
            raise _invalid("sliding_window", self.sliding_window, "at least 1")
        if self.num_heads % self.num_kv_heads:
            raise _invalid(
                "num_kv_heads", self.num_kv_heads, f"a divisor of {self.num_heads} heads"
            )
        if not 0 < self.norm_eps < 1:
            raise _invalid("norm_eps", self.norm_eps, "between 0 and 1")
        if self.residual != "sequential" and self.block_norms != "before":
            raise _invalid("residual", self.residual, "sequential, with norms at outputs")
        self._check_factors()
        if self.position == "rope":
            self._check_rotation()

    def _check_factors(self) -> None:
        for name in (
            "residual_scale",
            "embedding_scale",
            "attention_scale",
            "attention_softcap",
            "logit_divisor",
            "logit_softcap",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < MAX_FACTOR:
                raise _invalid(name, value, f"positive and below {MAX_FACTOR}")

    def _check_rotation(self) -> None:
        if self.rotary_dim is None and self.head_dim % 2:
            raise _invalid("head_dim", self.head_dim, "even, as rotary positions turn pairs")
        turned = self.rotary_dim
        if turned is not None and (turned % 2 or not 0 < turned <= self.head_dim):
            raise _invalid("rotary_dim", turned, f"even and from 2 to {self.head_dim}")
        for name in ("rope_theta", "sliding_rope_theta"):
            theta = getattr(self, name)
            if theta is not None and not 0 < theta < 1e12:
                raise _invalid(name, theta, "positive and below 10^12")
        self._check_scaling(turned or self.head_dim)

    def _check_scaling(self, dim: int) -> None:
        scaling = self.rope_scaling
        if isinstance(scaling, YarnScaling) and self.rope_theta <= 1:
            raise _invalid("rope_theta", self.rope_theta, "above 1, as YaRN takes its logarithm")
        if isinstance(scaling, DynamicScaling) and dim <= 2:
            raise _invalid("head_dim", dim, "above 2, as the dynamic base needs more dimensions")
        counts: dict[str, int] = {}
        if isinstance(scaling, FactorScaling):
            counts = {"factors": len(scaling.factors)}
        if isinstance(scaling, LongRopeScaling):
            counts = {
                "short_factor": len(scaling.short_factors),
                "long_factor": len(scaling.long_factors),
            }
        for name, count in counts.items():
            if count != dim // 2:
                raise _invalid(f"the length of {name}", count, f"{dim // 2}, one for each pair")

    def window(self, layer: int) -> int | None:
        """Tokens that this layer sees, the newest included; None where that is all of them."""
        size = self.sliding_window
        if size is None or size >= self.context_length or layer in self.full_attention_layers:
            return None
        return size

    def score_scale(self, layer: int) -> float:
        """Factor of this layer's attention scores."""
        scale = self.head_dim**-0.5 if self.attention_scale is None else self.attention_scale
        return scale / (layer + 1) if self.scale_by_layer else scale

    def rotary(self, layer: int) -> Rotary | None:
        """How this layer turns its queries and keys; None where it does not."""
        if self.position != "rope" or layer in self.rope_free_layers:
            return None
        dim = self.rotary_dim or self.head_dim
        slides = self.sliding_window is not None and layer not in self.full_attention_layers
        if slides and self.sliding_rope_theta is not None:
            return Rotary(dim, self.sliding_rope_theta, None)
        return Rotary(dim, self.rope_theta, self.rope_scaling)

    @property
    def plain_context(self) -> int:
        """Tokens up to which the rotation of a token does not depend on the text's length."""
        scaling = self.rope_scaling
        if self.position == "rope" and isinstance(scaling, DynamicScaling | LongRopeScaling):
            return min(scaling.original_context, self.context_length)
        return self.context_length

    def for_plain_context(self) -> ModelConfig:
        """The same for texts up to `plain_context` only: their angles can be known in advance."""
        return replace(self, context_length=self.plain_context)

    @property
    def rereads_long_texts(self) -> bool:
        """Whether a text that outgrows `plain_context` is to be read again from its beginning."""
        return self.position == "rope" and isinstance(self.rope_scaling, LongRopeScaling)

    @property
    def block_norm_names(self) -> tuple[str, ...]:
        """The norms of a block, as Hugging Face's Llama, Gemma 2 and OLMo 2 call them.

        "post_attention_layernorm" stands before the feed-forward layer if `block_norms` is
        "before", and right behind attention in the other cases.
        """
        if self.residual == "parallel_shared_norm":
            return ("input_layernorm",)
        before, after = "input_layernorm", "post_attention_layernorm"
        if self.block_norms == "before":
            return (before, after)
        if self.block_norms == "after":
            return (after, "post_feedforward_layernorm")
        return (before, after, "pre_feedforward_layernorm", "post_feedforward_layernorm")

    @property
    def qk_norm_sizes(self) -> tuple[int, int]:
        """Channels of the norms of queries and of keys, where `qk_norm` asks for them."""
        heads = (self.num_heads, self.num_kv_heads) if self.qk_norm == "width" else (1, 1)
        return heads[0] * self.head_dim, heads[1] * self.head_dim

    @property
    def num_parameters(self) -> int:
        """Parameters of the whole model, a tied output projection counted once."""
        norm = 2 if self.norm == "layernorm" and self.norm_bias else 1
        attention = self.hidden_size * self.head_dim * (2 * self.num_heads + 2 * self.num_kv_heads)
        attention += self.qkv_bias * self.head_dim * (self.num_heads + 2 * self.num_kv_heads)
        attention += self.attention_output_bias * self.hidden_size
        attention += norm * sum(self.qk_norm_sizes) if self.qk_norm is not None else 0
        up_projections = 2 if self.gated_mlp else 1
        mlp = self.hidden_size * self.intermediate_size * (up_projections + 1)
        mlp += self.mlp_bias * (up_projections * self.intermediate_size + self.hidden_size)
        norms = len(self.block_norm_names) * norm * self.hidden_size
        embedding = self.vocab_size * self.hidden_size * (1 if self.tied_embeddings else 2)
        embedding += self.head_bias * self.vocab_size
        if self.position == "learned":
            embedding += self.context_length * self.hidden_size
        return embedding + self.num_layers * (attention + mlp + norms) + norm * self.hidden_size

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that one token occupies in a KV cache of 32-bit floats."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim * 4


def _invalid(name: str, value: object, wanted: str) -> CheckpointError:
    return CheckpointError(
        f"The model's configuration gives {name} = {value!r}, which cannot be right.",
        f"It must be {wanted}. Download the model again, or correct its config.json.",
    )
