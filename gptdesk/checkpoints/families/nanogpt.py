"""nanoGPT and minGPT: GPT-2 with ordinary linear layers, and with biases or without any.

Their training scripts write no config.json but `model_args`. These do not tell the activation:
nanoGPT has the exact GELU (until June 2023: its tanh approximation), which is what is read here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader
from gptdesk.checkpoints.families.gpt2 import GPT2
from gptdesk.model.config import ModelConfig

MODEL_TYPE = "nanogpt"
_DROPOUTS = ("dropout", "attn_pdrop", "resid_pdrop", "embd_pdrop")
_KEYS = {"model_type", "n_layer", "n_head", "n_embd", "block_size", "vocab_size", "bias"}


def read_nanogpt(reader: ConfigReader) -> ModelConfig:
    """The `model_args` of a checkpoint to its shape."""
    for key, value in reader.data.items():
        if key not in _KEYS and key not in _DROPOUTS and value:
            raise reader.unsupported(key, value)
    hidden, heads = reader.width_and_heads("n_embd", "n_head")
    bias = reader.flag("bias", True)
    return ModelConfig(
        architecture="gpt2",
        vocab_size=reader.integer("vocab_size"),
        context_length=reader.integer("block_size"),
        num_layers=reader.integer("n_layer"),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=4 * hidden,
        norm="layernorm",
        norm_bias=bias,
        activation="gelu",
        gated_mlp=False,
        position="learned",
        qkv_bias=bias,
        attention_output_bias=bias,
        mlp_bias=bias,
        tied_embeddings=True,
    )


def write_nanogpt(config: ModelConfig) -> dict[str, Any]:
    """The shape as `model_args`."""
    return {
        "vocab_size": config.vocab_size,
        "block_size": config.context_length,
        "n_embd": config.hidden_size,
        "n_layer": config.num_layers,
        "n_head": config.num_heads,
        "bias": config.qkv_bias,
    }


NANOGPT = replace(
    GPT2,
    model_type=MODEL_TYPE,
    read=read_nanogpt,
    write=write_nanogpt,
    rules=tuple(replace(rule, transpose=False) for rule in GPT2.rules),
)
