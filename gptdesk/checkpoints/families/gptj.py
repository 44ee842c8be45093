"""GPT-J (Wang & Komatsuzaki 2021): attention and feed-forward side by side, behind one norm.

Rotary positions turn the first dimensions of each head, and pair neighbours among them.
"""

from __future__ import annotations

from typing import Any

from gptdesk.checkpoints.families.base import (
    ACTIVATION_NAMES,
    ConfigReader,
    Family,
    Rule,
    renamed,
)
from gptdesk.model.config import ModelConfig


def read_gptj(reader: ConfigReader) -> ModelConfig:
    """config.json of a GPT-J to its shape."""
    hidden, heads = reader.width_and_heads("n_embd", "n_head")
    head_dim = hidden // heads
    turned = reader.integer("rotary_dim", 64, least=2)
    if turned % 2 or turned > head_dim or reader.data.get("rotary_dim", turned) is None:
        raise reader.invalid("rotary_dim", f"even and from 2 to {head_dim}")
    return ModelConfig(
        architecture="gptj",
        vocab_size=reader.integer("vocab_size"),
        context_length=reader.integer("n_positions", 2048),
        num_layers=reader.integer("n_layer"),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=heads,
        head_dim=head_dim,
        intermediate_size=reader.integer("n_inner", 4 * hidden),
        norm="layernorm",
        norm_eps=reader.number("layer_norm_epsilon", 1e-5),
        residual="parallel_shared_norm",
        activation=reader.activation("activation_function", "gelu_new"),
        gated_mlp=False,
        rotary_dim=turned if turned < head_dim else None,
        mlp_bias=True,
        tied_embeddings=reader.flag("tie_word_embeddings", False),
        head_bias=True,
    )


def write_gptj(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_embd": config.hidden_size,
        "n_layer": config.num_layers,
        "n_head": config.num_heads,
        "n_inner": config.intermediate_size,
        "rotary_dim": config.rotary_dim or config.head_dim,
        "activation_function": ACTIVATION_NAMES[config.activation],
        "layer_norm_epsilon": config.norm_eps,
        "tie_word_embeddings": config.tied_embeddings,
    }


_THEIRS, _OURS = "transformer.h.{i}", "model.layers.{i}"
GPTJ = Family(
    model_type="gptj",
    architecture="GPTJForCausalLM",
    read=read_gptj,
    write=write_gptj,
    rules=(
        Rule(f"{_THEIRS}.attn.q_proj.weight", (f"{_OURS}.self_attn.q_proj.weight",), paired=True),
        Rule(f"{_THEIRS}.attn.k_proj.weight", (f"{_OURS}.self_attn.k_proj.weight",), paired=True),
        *renamed(
            {
                "transformer.wte": "model.embed_tokens",
                f"{_THEIRS}.ln_1": f"{_OURS}.input_layernorm",
                f"{_THEIRS}.attn.v_proj": f"{_OURS}.self_attn.v_proj",
                f"{_THEIRS}.attn.out_proj": f"{_OURS}.self_attn.o_proj",
                f"{_THEIRS}.mlp.fc_in": f"{_OURS}.mlp.up_proj",
                f"{_THEIRS}.mlp.fc_out": f"{_OURS}.mlp.down_proj",
                "transformer.ln_f": "model.norm",
            }
        ),
    ),
    prefix="transformer.",
    # Causal masks, and the angles of all positions.
    ignored=(r"(transformer\.)?h\.\d+\.attn\.((masked_)?bias|embed_positions)",),
)
