"""The keys that Llama's config.json has in common with those of the families built after it."""

from __future__ import annotations

from typing import Any

from gptdesk.checkpoints.families.base import ACTIVATION_NAMES, ConfigReader
from gptdesk.checkpoints.families.rope_options import (
    full_context,
    read_rope,
    read_rotary_dim,
    trained_context,
    write_rope,
)
from gptdesk.model.config import ModelConfig

STORED_ROTARY_BUFFERS = r"(model\.)?(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq"


def read_shape(
    reader: ConfigReader,
    architecture: str,
    *,
    context_length: int,
    head_dim: int | None = None,
    kv_heads: int | None = None,
    rotary_share: float | None = None,
    long_texts: bool = False,
) -> ModelConfig:
    """The shape without biases and windows.

    Args:
        reader: config.json.
        architecture: the family's `model_type`.
        context_length, head_dim, kv_heads: what the family takes for keys that are absent; None
            for heads that share the width of the model, and for as many of keys as of queries.
        rotary_share: how much of each head is turned if the file does not say so; None for a
            family that always turns all of it.
        long_texts: see `read_rope`.
    """
    hidden, heads = reader.integer("hidden_size"), reader.integer("num_attention_heads")
    if reader.data.get("head_dim", head_dim) is None and hidden % heads:
        raise reader.invalid("num_attention_heads", f"a divisor of hidden_size = {hidden}")
    if kv_heads is None or "num_key_value_heads" in reader.data:  # null means as many, too
        kv_heads = heads
    kv_heads = reader.integer("num_key_value_heads", kv_heads)
    if heads % kv_heads:
        raise reader.invalid("num_key_value_heads", f"a divisor of num_attention_heads = {heads}")
    context_length = reader.integer("max_position_embeddings", context_length)
    head_dim = reader.integer("head_dim", head_dim or hidden // heads)
    rope_theta, rope_scaling = read_rope(
        reader, context_length, partial=rotary_share is not None, long_texts=long_texts
    )
    return ModelConfig(
        architecture=architecture,
        vocab_size=reader.integer("vocab_size"),
        context_length=full_context(context_length, rope_scaling),
        num_layers=reader.integer("num_hidden_layers"),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=reader.integer("intermediate_size"),
        norm_eps=reader.number("rms_norm_eps", 1e-6),
        activation=reader.activation("hidden_act", "silu"),
        rope_theta=rope_theta,
        rope_scaling=rope_scaling,
        rotary_dim=(
            None if rotary_share is None else read_rotary_dim(reader, head_dim, rotary_share)
        ),
        tied_embeddings=reader.flag("tie_word_embeddings", False),
    )


def write_shape(config: ModelConfig) -> dict[str, Any]:
    """The same as keys of config.json."""
    return {
        "vocab_size": config.vocab_size,
        "max_position_embeddings": trained_context(config),
        "num_hidden_layers": config.num_layers,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.head_dim,
        "intermediate_size": config.intermediate_size,
        "rms_norm_eps": config.norm_eps,
        "hidden_act": ACTIVATION_NAMES[config.activation],
        **write_rope(config),
        "tie_word_embeddings": config.tied_embeddings,
    }
