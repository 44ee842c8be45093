"""Phi-1, 1.5 and 2 (Gunasekar et al. 2023, arXiv:2306.11644): GPT-J's block, with biases everywhere.

Half of each head is turned (0.4 of it in Phi-2); the output matrix has a bias.
"""

from __future__ import annotations

from typing import Any

from gptdesk.checkpoints.families.base import ACTIVATION_NAMES, ConfigReader, Family, renamed
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS
from gptdesk.checkpoints.families.rope_options import (
    full_context,
    read_rope,
    read_rotary_dim,
    trained_context,
    write_rope,
    write_rotary_share,
)
from gptdesk.model.config import ModelConfig


def read_phi(reader: ConfigReader) -> ModelConfig:
    """config.json of a Phi to its shape."""
    hidden, heads = reader.width_and_heads("hidden_size", "num_attention_heads")
    head_dim = reader.integer("head_dim", hidden // heads)
    norms = reader.flag("qk_layernorm", False)
    if norms and head_dim != hidden // heads:
        raise reader.unsupported("qk_layernorm", norms)
    kv_heads = reader.integer("num_key_value_heads", heads)
    if heads % kv_heads:
        raise reader.invalid("num_key_value_heads", f"a divisor of num_attention_heads = {heads}")
    context_length = reader.integer("max_position_embeddings", 2048)
    theta, scaling = read_rope(reader, context_length, partial=True)
    return ModelConfig(
        architecture="phi",
        vocab_size=reader.integer("vocab_size"),
        context_length=full_context(context_length, scaling),
        num_layers=reader.integer("num_hidden_layers"),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate_size=reader.integer("intermediate_size"),
        norm="layernorm",
        norm_eps=reader.number("layer_norm_eps", 1e-5),
        residual="parallel_shared_norm",
        activation=reader.activation("hidden_act", "gelu_new"),
        gated_mlp=False,
        rope_theta=theta,
        rope_scaling=scaling,
        rotary_dim=read_rotary_dim(reader, head_dim, 0.5),
        qkv_bias=True,
        attention_output_bias=True,
        mlp_bias=True,
        qk_norm="head" if norms else None,
        tied_embeddings=reader.flag("tie_word_embeddings", False),
        head_bias=True,
    )


def write_phi(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        "vocab_size": config.vocab_size,
        "max_position_embeddings": trained_context(config),
        "num_hidden_layers": config.num_layers,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.num_heads,
        "num_key_value_heads": config.num_kv_heads,
        "head_dim": config.head_dim,
        "intermediate_size": config.intermediate_size,
        "layer_norm_eps": config.norm_eps,
        "hidden_act": ACTIVATION_NAMES[config.activation],
        "qk_layernorm": config.qk_norm is not None,
        **write_rope(config),
        "partial_rotary_factor": write_rotary_share(config),
        "tie_word_embeddings": config.tied_embeddings,
    }


_BLOCK = "model.layers.{i}"
PHI = Family(
    model_type="phi",
    architecture="PhiForCausalLM",
    read=read_phi,
    write=write_phi,
    rules=renamed(
        {
            f"{_BLOCK}.self_attn.dense": f"{_BLOCK}.self_attn.o_proj",
            f"{_BLOCK}.self_attn.q_layernorm": f"{_BLOCK}.self_attn.q_norm",
            f"{_BLOCK}.self_attn.k_layernorm": f"{_BLOCK}.self_attn.k_norm",
            f"{_BLOCK}.mlp.fc1": f"{_BLOCK}.mlp.up_proj",
            f"{_BLOCK}.mlp.fc2": f"{_BLOCK}.mlp.down_proj",
            "model.final_layernorm": "model.norm",
        }
    ),
    ignored=(STORED_ROTARY_BUFFERS,),
)
