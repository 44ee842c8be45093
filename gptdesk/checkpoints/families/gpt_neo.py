"""GPT-Neo (Black et al. 2021): GPT-2 with a window over every other layer and unscaled attention.

Query, key and value are matrices of their own, without biases, and the usual way round.
"""

from __future__ import annotations

from typing import Any

from gptdesk.checkpoints.families.base import ACTIVATION_NAMES, ConfigReader, Family, renamed
from gptdesk.model.config import ModelConfig

_GLOBAL, _LOCAL = "global", "local"


def read_gpt_neo(reader: ConfigReader) -> ModelConfig:
    """config.json of a GPT-Neo to its shape."""
    hidden, heads = reader.width_and_heads("hidden_size", "num_heads")
    kinds = _kinds(reader, reader.integer("num_layers"))
    full = tuple(i for i, kind in enumerate(kinds) if kind == _GLOBAL)
    slides = _LOCAL in kinds
    return ModelConfig(
        architecture="gpt_neo",
        vocab_size=reader.integer("vocab_size"),
        context_length=reader.integer("max_position_embeddings", 2048),
        num_layers=len(kinds),
        hidden_size=hidden,
        num_heads=heads,
        num_kv_heads=heads,
        head_dim=hidden // heads,
        intermediate_size=reader.integer("intermediate_size", 4 * hidden),
        norm="layernorm",
        norm_eps=reader.number("layer_norm_epsilon", 1e-5),
        activation=reader.activation("activation_function", "gelu_new"),
        gated_mlp=False,
        position="learned",
        attention_output_bias=True,
        mlp_bias=True,
        attention_scale=1.0,
        sliding_window=reader.integer("window_size", 256) if slides else None,
        full_attention_layers=full if slides else (),
        tied_embeddings=reader.flag("tie_word_embeddings", True),
    )


def write_gpt_neo(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    layers = range(config.num_layers)
    slides = config.sliding_window is not None
    kinds = [
        _LOCAL if slides and i not in config.full_attention_layers else _GLOBAL for i in layers
    ]
    return {
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.context_length,
        "hidden_size": config.hidden_size,
        "num_layers": config.num_layers,
        "num_heads": config.num_heads,
        "intermediate_size": config.intermediate_size,
        "activation_function": ACTIVATION_NAMES[config.activation],
        "layer_norm_epsilon": config.norm_eps,
        "attention_types": [[kinds, 1]],
        "attention_layers": kinds,
        **({"window_size": config.sliding_window} if slides else {}),
        "tie_word_embeddings": config.tied_embeddings,
    }


def _kinds(reader: ConfigReader, num_layers: int) -> list[str]:
    """The kind of attention of each layer, from [[[kind, …], repetitions], …]."""
    types = reader.data.get("attention_types")
    types = [[[_GLOBAL, _LOCAL], 12]] if types is None else types
    wrong = reader.invalid("attention_types", f"[kinds, repetitions] for {num_layers} layers")
    if not isinstance(types, list):
        raise wrong
    kinds: list[str] = []
    for item in types:
        match item:
            case [[*names], int(times)] if names and len(names) * times <= num_layers - len(kinds):
                kinds += names * times
            case _:
                raise wrong
    for kind in kinds:
        if kind not in (_GLOBAL, _LOCAL):
            raise reader.unsupported("attention_types", kind)
    if len(kinds) != num_layers:
        raise wrong
    return kinds


_THEIRS, _OURS = "transformer.h.{i}", "model.layers.{i}"
GPT_NEO = Family(
    model_type="gpt_neo",
    architecture="GPTNeoForCausalLM",
    read=read_gpt_neo,
    write=write_gpt_neo,
    rules=renamed(
        {
            "transformer.wte": "model.embed_tokens",
            "transformer.wpe": "model.embed_positions",
            f"{_THEIRS}.ln_1": f"{_OURS}.input_layernorm",
            f"{_THEIRS}.attn.attention.q_proj": f"{_OURS}.self_attn.q_proj",
            f"{_THEIRS}.attn.attention.k_proj": f"{_OURS}.self_attn.k_proj",
            f"{_THEIRS}.attn.attention.v_proj": f"{_OURS}.self_attn.v_proj",
            f"{_THEIRS}.attn.attention.out_proj": f"{_OURS}.self_attn.o_proj",
            f"{_THEIRS}.ln_2": f"{_OURS}.post_attention_layernorm",
            f"{_THEIRS}.mlp.c_fc": f"{_OURS}.mlp.up_proj",
            f"{_THEIRS}.mlp.c_proj": f"{_OURS}.mlp.down_proj",
            "transformer.ln_f": "model.norm",
        }
    ),
    prefix="transformer.",
    ignored=(r"(transformer\.)?h\.\d+\.attn\.attention\.(masked_)?bias",),  # causal masks
)
