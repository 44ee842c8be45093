"""GPT-NeoX and Pythia (Black et al. 2022, arXiv:2204.06745; Biderman et al. 2023).

Attention and feed-forward side by side, each behind a norm of its own; a quarter of each head is
turned. Query, key and value are one tensor, in which the heads follow one another.
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
from gptdesk.checkpoints.families.rope_options import (
    full_context,
    read_rope,
    read_rotary_dim,
    trained_context,
    write_rope,
    write_rotary_share,
)
from gptdesk.model.config import ModelConfig


def read_gpt_neox(reader: ConfigReader) -> ModelConfig:
    """config.json of a GPT-NeoX to its shape."""
    hidden, heads = reader.width_and_heads("hidden_size", "num_attention_heads")
    head_dim = hidden // heads
    if reader.integer("head_dim", head_dim) != head_dim:
        raise reader.unsupported("head_dim", reader.data["head_dim"])
    context_length = reader.integer("max_position_embeddings", 2048)
    theta, scaling = read_rope(reader, context_length, theta_key="rotary_emb_base", partial=True)
    parallel, bias = reader.flag("use_parallel_residual", True), reader.flag("attention_bias", True)
    return ModelConfig(
        architecture="gpt_neox",
        vocab_size=reader.integer("vocab_size"),
        context_length=full_context(context_length, scaling),
        num_layers=reader.integer("num_hidden_layers"),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=heads,
        head_dim=head_dim,
        intermediate_size=reader.integer("intermediate_size"),
        norm="layernorm",
        norm_eps=reader.number("layer_norm_eps", 1e-5),
        residual="parallel" if parallel else "sequential",
        activation=reader.activation("hidden_act", "gelu"),
        gated_mlp=False,
        rope_theta=theta,
        rope_scaling=scaling,
        rotary_dim=read_rotary_dim(reader, head_dim, 0.25, key="rotary_pct"),
        qkv_bias=bias,
        attention_output_bias=bias,
        mlp_bias=True,
        tied_embeddings=reader.flag("tie_word_embeddings", False),
    )


def write_gpt_neox(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json, rotary ones under their old names and the new."""
    rope, share = write_rope(config), write_rotary_share(config)
    rope["rope_parameters"]["partial_rotary_factor"] = share
    return {
        "vocab_size": config.vocab_size,
        "max_position_embeddings": trained_context(config),
        "num_hidden_layers": config.num_layers,
        "hidden_size": config.hidden_size,
        "num_attention_heads": config.num_heads,
        "intermediate_size": config.intermediate_size,
        "layer_norm_eps": config.norm_eps,
        "use_parallel_residual": config.residual == "parallel",
        "hidden_act": ACTIVATION_NAMES[config.activation],
        "rotary_emb_base": rope.pop("rope_theta"),
        "rotary_pct": share,
        **rope,
        "attention_bias": config.qkv_bias,
        "tie_word_embeddings": config.tied_embeddings,
    }


_THEIRS, _OURS = "gpt_neox.layers.{i}", "model.layers.{i}"
GPT_NEOX = Family(
    model_type="gpt_neox",
    architecture="GPTNeoXForCausalLM",
    read=read_gpt_neox,
    write=write_gpt_neox,
    rules=(
        *(
            Rule(
                f"{_THEIRS}.attention.query_key_value.{part}",
                tuple(f"{_OURS}.self_attn.{name}_proj.{part}" for name in "qkv"),
                interleaved=True,
            )
            for part in ("weight", "bias")
        ),
        *renamed(
            {
                "gpt_neox.embed_in": "model.embed_tokens",
                f"{_THEIRS}.input_layernorm": f"{_OURS}.input_layernorm",
                f"{_THEIRS}.post_attention_layernorm": f"{_OURS}.post_attention_layernorm",
                f"{_THEIRS}.attention.dense": f"{_OURS}.self_attn.o_proj",
                f"{_THEIRS}.mlp.dense_h_to_4h": f"{_OURS}.mlp.up_proj",
                f"{_THEIRS}.mlp.dense_4h_to_h": f"{_OURS}.mlp.down_proj",
                "gpt_neox.final_layer_norm": "model.norm",
                "embed_out": "lm_head",
            }
        ),
    ),
    prefix="gpt_neox.",
    # Causal masks, and the frequencies of rotary positions.
    ignored=(r"(gpt_neox\.)?layers\.\d+\.attention\.((masked_)?bias|rotary_emb\.inv_freq)",),
    synonyms={"lm_head.weight": "embed_out.weight"},
)
