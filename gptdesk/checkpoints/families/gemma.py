"""Gemma (2024, arXiv:2403.08295): scaled embeddings, norms around one, wide heads, gated GELU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ACTIVATION_NAMES, ConfigReader, Family
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import refuse_window
from gptdesk.model.config import Activation, ModelConfig

GELU = "gelu_pytorch_tanh"


def read_gemma(reader: ConfigReader) -> ModelConfig:
    """config.json of a Gemma to its shape."""
    # The first files said "gelu" and meant the approximation; `hidden_activation` corrected them.
    activation = reader.activation("hidden_act", GELU)
    if activation == "gelu":
        activation = "gelu_tanh"
    if reader.data.get("hidden_activation") is not None:
        corrected = reader.activation("hidden_activation", GELU)
        if corrected != activation:
            raise reader.unsupported("hidden_activation", reader.data["hidden_activation"])
    config = read_gemma_shape(reader, "gemma", activation, context_length=8192, kv_heads=16)
    refuse_window(reader, config.context_length)
    return config


def write_gemma(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {**write_shape(config), "attention_bias": config.qkv_bias}


def read_gemma_shape(
    reader: ConfigReader,
    architecture: str,
    activation: Activation,
    *,
    context_length: int,
    kv_heads: int,
) -> ModelConfig:
    """What all generations of Gemma have in common; arguments as of `read_shape`."""
    if reader.flag("use_bidirectional_attention", False):
        raise reader.unsupported("use_bidirectional_attention", True)
    keys = reader.with_values(hidden_act=ACTIVATION_NAMES[activation])
    keys = keys.with_defaults(tie_word_embeddings=True)
    config = read_shape(
        keys, architecture, context_length=context_length, head_dim=256, kv_heads=kv_heads
    )
    bias = reader.flag("attention_bias", False)
    return replace(
        config,
        norm_unit_offset=True,
        embedding_scale=config.hidden_size**0.5,
        qkv_bias=bias,
        attention_output_bias=bias,
    )


GEMMA = Family(
    model_type="gemma",
    architecture="GemmaForCausalLM",
    read=read_gemma,
    write=write_gemma,
    ignored=(STORED_ROTARY_BUFFERS,),
)
