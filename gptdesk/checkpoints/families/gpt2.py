"""GPT-2 (Radford et al. 2019): learned positions, LayerNorm, biases, transposed "Conv1D" weights.

Its linear layers are stored as (inputs, outputs), and query, key and value in one `c_attn`.
"""

from __future__ import annotations

from typing import Any

from gptdesk.checkpoints.families.base import ACTIVATION_NAMES, ConfigReader, Family, Rule
from gptdesk.checkpoints.families.window_options import refuse_window
from gptdesk.model.config import ModelConfig


def read_gpt2(reader: ConfigReader) -> ModelConfig:
    """config.json of a GPT-2 to its shape."""
    if reader.flag("add_cross_attention", False):
        raise reader.unsupported("add_cross_attention", True)
    context_length = reader.integer("n_positions", 1024)
    refuse_window(reader, context_length)
    hidden, heads = reader.width_and_heads("n_embd", "n_head")
    return ModelConfig(
        architecture="gpt2",
        vocab_size=reader.integer("vocab_size"),
        context_length=context_length,
        num_layers=reader.integer("n_layer"),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=reader.integer("n_inner", 4 * hidden),
        norm="layernorm",
        norm_eps=reader.number("layer_norm_epsilon", 1e-5),
        activation=reader.activation("activation_function", "gelu_new"),
        gated_mlp=False,
        position="learned",
        qkv_bias=True,
        attention_output_bias=True,
        mlp_bias=True,
        attention_scale=None if reader.flag("scale_attn_weights", True) else 1.0,
        tied_embeddings=reader.flag("tie_word_embeddings", True),
        scale_by_layer=reader.flag("scale_attn_by_inverse_layer_idx", False),
    )


def write_gpt2(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        "vocab_size": config.vocab_size,
        "n_positions": config.context_length,
        "n_embd": config.hidden_size,
        "n_layer": config.num_layers,
        "n_head": config.num_heads,
        "n_inner": config.intermediate_size,
        "activation_function": ACTIVATION_NAMES[config.activation],
        "layer_norm_epsilon": config.norm_eps,
        "tie_word_embeddings": config.tied_embeddings,
        "scale_attn_weights": config.attention_scale is None,
        "scale_attn_by_inverse_layer_idx": config.scale_by_layer,
    }


def _rules() -> tuple[Rule, ...]:
    theirs, ours = "transformer.h.{i}", "model.layers.{i}"
    rules = [
        Rule("transformer.wte.weight", ("model.embed_tokens.weight",)),
        Rule("transformer.wpe.weight", ("model.embed_positions.weight",)),
    ]
    for part in ("weight", "bias"):
        linear = part == "weight"
        qkv = tuple(f"{ours}.self_attn.{name}_proj.{part}" for name in "qkv")
        rules += [
            Rule(f"{theirs}.ln_1.{part}", (f"{ours}.input_layernorm.{part}",)),
            Rule(f"{theirs}.attn.c_attn.{part}", qkv, linear),
            Rule(f"{theirs}.attn.c_proj.{part}", (f"{ours}.self_attn.o_proj.{part}",), linear),
            Rule(f"{theirs}.ln_2.{part}", (f"{ours}.post_attention_layernorm.{part}",)),
            Rule(f"{theirs}.mlp.c_fc.{part}", (f"{ours}.mlp.up_proj.{part}",), linear),
            Rule(f"{theirs}.mlp.c_proj.{part}", (f"{ours}.mlp.down_proj.{part}",), linear),
            Rule(f"transformer.ln_f.{part}", (f"model.norm.{part}",)),
        ]
    return tuple(rules)


GPT2 = Family(
    model_type="gpt2",
    architecture="GPT2LMHeadModel",
    read=read_gpt2,
    write=write_gpt2,
    rules=_rules(),
    prefix="transformer.",
    ignored=(r"(transformer\.)?h\.\d+\.attn\.(masked_)?bias",),  # causal masks of old files
    biases=("qkv_bias", "attention_output_bias", "mlp_bias", "norm_bias"),
)
