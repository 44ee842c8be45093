"""Shapes that train well, by name, and what they need.

| preset | hidden | layers | heads | kv | inner | vocabulary | parameters | memory |
|--------|-------:|-------:|------:|---:|------:|-----------:|-----------:|-------:|
| 5m     |    256 |      4 |     4 |  2 |   640 |      8,192 |      4.9 M | 0.8 GB |
| 15m    |    384 |      8 |     6 |  2 | 1,024 |      8,192 |     15.7 M | 1.9 GB |
| 24m    |    512 |      6 |     8 |  2 | 1,344 |     16,384 |     24.7 M | 2.1 GB |
| 60m    |    640 |     12 |    10 |  2 | 1,664 |     16,384 |     60.6 M | 4.7 GB |
| 124m   |    768 |     16 |    12 |  4 | 2,048 |     32,768 |    125.8 M | 7.8 GB |

The memory is that of training in bf16 on a CPU, 4,096 tokens at a time: measured for the first
two, by `training_bytes` for the others.

Heads are 64 wide. The gpt2 layout has no gate in its feed-forward layer, no grouped queries and
fewer layers for the same number of parameters; its 124m is the original's shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gptdesk.errors import CheckpointError, OptionError
from gptdesk.model.config import ModelConfig
from gptdesk.training.config import ModelSettings

HEAD_DIM = 64
ROW_TOKENS = 4096
"""Tokens of one forward pass unless the configuration says otherwise."""
_FIXED_BYTES = 300_000_000


@dataclass(frozen=True, slots=True)
class Preset:
    """One size of model.

    Attributes:
        hidden_size, num_layers, num_heads, num_kv_heads, intermediate_size: in the llama layout.
        gpt2_layers: layers in the gpt2 layout.
        vocab_size: the usual one.
        learning_rate, muon_learning_rate: peaks for AdamW and for Muon's matrices.
    """

    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    intermediate_size: int
    gpt2_layers: int
    vocab_size: int
    learning_rate: float
    muon_learning_rate: float


PRESETS: Mapping[str, Preset] = {
    "5m": Preset(256, 4, 4, 2, 640, 4, 8192, 3e-3, 6e-3),
    "15m": Preset(384, 8, 6, 2, 1024, 6, 8192, 2e-3, 4e-3),
    "24m": Preset(512, 6, 8, 2, 1344, 5, 16_384, 1.5e-3, 3e-3),
    "60m": Preset(640, 12, 10, 2, 1664, 10, 16_384, 1e-3, 2e-3),
    "124m": Preset(768, 16, 12, 4, 2048, 12, 32_768, 6e-4, 1.2e-3),
}


def build_model_config(settings: ModelSettings, vocab_size: int) -> ModelConfig:
    """The shape that the settings describe, for a tokenizer of so many ids.

    Raises:
        OptionError: the numbers contradict each other; names the key.
    """
    preset = PRESETS[settings.preset]
    gpt2 = settings.layout == "gpt2"
    hidden = settings.hidden_size or preset.hidden_size
    head_dim = settings.head_dim or HEAD_DIM
    heads = settings.num_heads or _heads(settings, preset, hidden, head_dim)
    if settings.num_kv_heads:
        kv_heads = settings.num_kv_heads
    else:
        kv_heads = heads if gpt2 or heads % preset.num_kv_heads else preset.num_kv_heads
    layers = preset.gpt2_layers if gpt2 else preset.num_layers
    _check(settings, hidden, heads, kv_heads, head_dim)
    try:
        return ModelConfig(
            architecture=settings.layout,
            vocab_size=vocab_size,
            context_length=settings.context_length,
            num_layers=settings.num_layers or layers,
            hidden_size=hidden,
            num_heads=heads,
            num_kv_heads=kv_heads,
            head_dim=head_dim,
            intermediate_size=settings.intermediate_size or _inner(settings, preset, hidden),
            norm="layernorm" if gpt2 else "rmsnorm",
            activation="gelu_tanh" if gpt2 else "silu",
            gated_mlp=not gpt2,
            position="learned" if gpt2 else "rope",
            rope_theta=settings.rope_theta,
            qkv_bias=gpt2,
            attention_output_bias=gpt2,
            mlp_bias=gpt2,
            tied_embeddings=True if settings.tied is None else settings.tied,
        )
    except CheckpointError as error:
        raise OptionError(
            f"[model] describes no possible shape: {error.title}",
            "Change or remove the key that the message names.",
        ) from error


def training_bytes(config: ModelConfig, row_tokens: int = ROW_TOKENS) -> int:
    """Memory of training with AdamW on a CPU beyond that of the program, within some 10%.

    Weights, gradients and two averages take 16 bytes per parameter. What the backward pass needs
    of a layer is about so many bytes for each token, fitted to runs of the presets 5m and 15m in
    bf16; fp32 takes up to half more.
    """
    per_token = 3.2 * config.num_layers * (18 * config.hidden_size + 6 * config.intermediate_size)
    return 16 * config.num_parameters + int(row_tokens * per_token) + _FIXED_BYTES


def micro_rows(context_length: int, global_rows: int) -> int:
    """Rows of one forward pass where the configuration leaves it open."""
    return max(1, min(global_rows, ROW_TOKENS // context_length))


def _heads(settings: ModelSettings, preset: Preset, hidden: int, head_dim: int) -> int:
    if settings.hidden_size is None and settings.head_dim is None:
        return preset.num_heads
    return max(1, hidden // head_dim)


def _inner(settings: ModelSettings, preset: Preset, hidden: int) -> int:
    if settings.layout == "gpt2":
        return 4 * hidden
    if settings.hidden_size is None:
        return preset.intermediate_size
    return -(-8 * hidden // 3 // 32) * 32  # the usual 8/3, in whole vectors


def _check(settings: ModelSettings, hidden: int, heads: int, kv_heads: int, head_dim: int) -> None:
    if settings.layout == "gpt2" and (heads * head_dim != hidden or kv_heads != heads):
        raise OptionError(
            f'[model] layout = "gpt2" with {heads} heads of {head_dim} in {hidden} channels is '
            "not possible: its heads share the channels evenly and have keys of their own.",
            "Set hidden_size = num_heads × head_dim and leave num_kv_heads out.",
        )
