"""The shape of a GPT as one validated dataclass, importable without torch.

A model family is a point in the space of these flags. Code that computes reads the flags and
never the family's name; `architecture` is kept for display and for writing config.json only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gptdesk.errors import CheckpointError
from gptdesk.model.rope_scaling import RopeScaling, YarnScaling

Norm = Literal["layernorm", "rmsnorm"]
Activation = Literal["gelu", "gelu_tanh", "relu", "silu"]
Position = Literal["learned", "rope"]

MAX_VOCAB = 1 << 22
MAX_LAYERS = 1024
MAX_WIDTH = 1 << 20
MAX_CONTEXT = 1 << 24


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
        norm: LayerNorm with bias, or RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467).
        norm_eps: added to the variance.
        activation: non-linearity of the feed-forward layer.
        gated_mlp: act(gate(x)) * up(x) instead of act(up(x)) (Shazeer 2020, arXiv:2002.05202).
        position: learned absolute embeddings, or rotary ones (Su et al. 2021, arXiv:2104.09864).
        rope_theta: base of the rotary frequencies.
        rope_scaling: how these are stretched; None for not at all.
        qkv_bias, attention_output_bias, mlp_bias: which projections add a bias.
        qk_norm: RMSNorm over each query and key, head by head, before rotation
            (Henry et al. 2020, arXiv:2010.04245).
        sliding_window: tokens that a layer sees, the newest included; None for all.
        full_attention_layers: indices of the layers that see everything nevertheless.
        tied_embeddings: the output projection is the token embedding.
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
    activation: Activation = "silu"
    gated_mlp: bool = True
    position: Position = "rope"
    rope_theta: float = 10_000.0
    rope_scaling: RopeScaling | None = None
    qkv_bias: bool = False
    attention_output_bias: bool = False
    mlp_bias: bool = False
    qk_norm: bool = False
    sliding_window: int | None = None
    full_attention_layers: tuple[int, ...] = ()
    tied_embeddings: bool = False
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
        if self.position == "rope" and self.head_dim % 2:
            raise _invalid("head_dim", self.head_dim, "even, as rotary positions turn pairs")
        if not 0 < self.norm_eps < 1:
            raise _invalid("norm_eps", self.norm_eps, "between 0 and 1")
        if not 0 < self.rope_theta < 1e12:
            raise _invalid("rope_theta", self.rope_theta, "positive and below 10^12")
        if isinstance(self.rope_scaling, YarnScaling) and self.rope_theta <= 1:
            raise _invalid("rope_theta", self.rope_theta, "above 1, as YaRN takes its logarithm")

    def window(self, layer: int) -> int | None:
        """Tokens that this layer sees, the newest included; None where that is all of them."""
        size = self.sliding_window
        if size is None or size >= self.context_length or layer in self.full_attention_layers:
            return None
        return size

    @property
    def num_parameters(self) -> int:
        """Parameters of the whole model, a tied output projection counted once."""
        attention = self.hidden_size * self.head_dim * (2 * self.num_heads + 2 * self.num_kv_heads)
        attention += self.qkv_bias * self.head_dim * (self.num_heads + 2 * self.num_kv_heads)
        attention += self.attention_output_bias * self.hidden_size
        attention += self.qk_norm * 2 * self.head_dim
        up_projections = 2 if self.gated_mlp else 1
        mlp = self.hidden_size * self.intermediate_size * (up_projections + 1)
        mlp += self.mlp_bias * (up_projections * self.intermediate_size + self.hidden_size)
        norm = self.hidden_size * (2 if self.norm == "layernorm" else 1)
        embedding = self.vocab_size * self.hidden_size * (1 if self.tied_embeddings else 2)
        if self.position == "learned":
            embedding += self.context_length * self.hidden_size
        return embedding + self.num_layers * (attention + mlp + 2 * norm) + norm

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that one token occupies in a KV cache of 32-bit floats."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim * 4


def _invalid(name: str, value: object, wanted: str) -> CheckpointError:
    return CheckpointError(
        f"The model's configuration gives {name} = {value!r}, which cannot be right.",
        f"It must be {wanted}. Download the model again, or correct its config.json.",
    )
