"""Every family in the shapes that its config.json can ask for, as tiny checkpoints to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers import checkpoints
from tests.helpers.gpt_shapes import GPT_SHAPES

_LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
_YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}


def _rope(**options: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_theta": 10_000.0, **options}}


def _longrope(pairs: int, original: int, **options: Any) -> dict[str, Any]:
    factors = {
        "short_factor": [1.0 + 0.1 * pair for pair in range(pairs)],
        "long_factor": [1.5 + 0.7 * pair for pair in range(pairs)],
    }
    return {
        **_rope(rope_type="longrope", **factors, **options),
        "original_max_position_embeddings": original,
    }


LONG_TEXTS_ONLY = "phi4-mini in a long text"
"""A shape whose positions are never those of a short text; no export can run it."""

SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama 3.1 positions": (
        "llama",
        _rope(rope_type="llama3", original_max_position_embeddings=32, **_LLAMA3),
    ),
    "llama 3.2: positions of 3.1, tied, own head width": (
        "llama",
        {
            **_rope(rope_type="llama3", original_max_position_embeddings=64, **_LLAMA3),
            "tie_word_embeddings": True,
            "head_dim": 32,
        },
    ),
    "linear positions": ("llama", _rope(rope_type="linear", factor=4.0)),
    "dynamic positions": ("llama", _rope(rope_type="dynamic", factor=4.0)),
    "positions with a factor for each pair": (
        "llama",
        _rope(
            rope_type="longrope",
            short_factor=[1.0 + 0.3 * pair for pair in range(8)],
            long_factor=[1.0 + 0.3 * pair for pair in range(8)],
            attention_factor=1.2,
        ),
    ),
    "yarn positions": ("llama", _rope(**_YARN)),
    "yarn positions, all settings": (
        "llama",
        _rope(**_YARN, attention_factor=0.8, beta_fast=8.0, beta_slow=2.0, truncate=False),
    ),
    "yarn positions with the weights of DeepSeek": (
        "llama",
        _rope(**_YARN, mscale=0.707, mscale_all_dim=0.5),
    ),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral with a window": ("mistral", {"sliding_window": 24, "head_dim": 32}),
    "mistral with a window of two tokens": ("mistral", {"sliding_window": 2}),
    "mistral with a window that never fills": ("mistral", {"sliding_window": 512}),
    "qwen2.5": ("qwen2", {"tie_word_embeddings": True, **_rope(rope_theta=1e6)}),
    "qwen2.5 with yarn": ("qwen2", _rope(**_YARN)),
    "qwen2 with a window over the upper layers": (
        "qwen2",
        {"use_sliding_window": True, "sliding_window": 24, "max_window_layers": 1},
    ),
    "qwen2 with a window over every other layer": (
        "qwen2",
        {
            "use_sliding_window": True,
            "sliding_window": 24,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
        },
    ),
    "qwen3": ("qwen3", {"head_dim": 32, "tie_word_embeddings": True, **_rope(rope_theta=1e6)}),
    "qwen3 with biases, yarn and a window": (
        "qwen3",
        {
            "head_dim": 16,
            "attention_bias": True,
            "use_sliding_window": True,
            "sliding_window": 24,
            "max_window_layers": 2,
            **_rope(**_YARN),
        },
    ),
    "gemma": ("gemma", {"head_dim": 32}),
    "gemma with biases and stretched positions, not tied": (
        "gemma",
        {
            "head_dim": 24,
            "attention_bias": True,
            "hidden_act": "gelu",
            "tie_word_embeddings": False,
            **_rope(rope_type="linear", factor=2.0),
        },
    ),
    "gemma2": (
        "gemma2",
        {
            "head_dim": 32,
            "query_pre_attn_scalar": 24,
            "sliding_window": 24,
            "attn_logit_softcapping": 5.0,
            "final_logit_softcapping": 3.0,
        },
    ),
    "gemma2 without caps and windows": (
        "gemma2",
        {
            "head_dim": 16,
            "attention_bias": True,
            "layer_types": ["full_attention"] * 3,
            "attn_logit_softcapping": None,
            "final_logit_softcapping": None,
        },
    ),
    "gemma3": (
        "gemma3_text",
        {
            "head_dim": 32,
            "query_pre_attn_scalar": 24,
            "sliding_window": 24,
            "sliding_window_pattern": 2,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 500.0},
            },
        },
    ),
    "gemma3 with windows only, biases, a cap and its usual bases": (
        "gemma3_text",
        {
            "head_dim": 16,
            "attention_bias": True,
            "sliding_window": 24,
            "final_logit_softcapping": 3.0,
            "attn_logit_softcapping": 5.0,
        },
    ),
    "gemma3 without windows": (
        "gemma3_text",
        {"head_dim": 16, "layer_types": ["full_attention"] * 3},
    ),
    "phi3": ("phi3", {"pad_token_id": 0, "sliding_window": 24}),
    "phi3 for long texts": ("phi3", {"pad_token_id": 0, **_longrope(8, 128)}),
    "phi4-mini": (
        "phi3",
        {
            "pad_token_id": 0,
            "tie_word_embeddings": True,
            **_longrope(6, 128, partial_rotary_factor=0.75, attention_factor=1.3),
        },
    ),
    LONG_TEXTS_ONLY: (
        "phi3",
        {
            "pad_token_id": 0,
            "tie_word_embeddings": True,
            # One token is turned by nothing: with this border, all texts are long.
            **_longrope(6, 1, partial_rotary_factor=0.75, attention_factor=1.3),
        },
    ),
    "smollm3": ("smollm3", {"pad_token_id": 0, "no_rope_layer_interval": 2}),
    "smollm3 with windows and biases": (
        "smollm3",
        {
            "pad_token_id": 0,
            "no_rope_layers": [0, 1, 0],
            "use_sliding_window": True,
            "sliding_window": 24,
            "attention_bias": True,
            "mlp_bias": True,
            "tie_word_embeddings": False,
        },
    ),
    "smollm3 with a window elsewhere": (
        "smollm3",
        {
            "pad_token_id": 0,
            "sliding_window": 24,
            "layer_types": ["sliding_attention", "full_attention", "full_attention"],
            **_rope(**_YARN),
        },
    ),
    "granite": (
        "granite",
        {
            "embedding_multiplier": 12.0,
            "attention_multiplier": 0.1,
            "residual_multiplier": 0.22,
            "logits_scaling": 4.0,
            "tie_word_embeddings": True,
        },
    ),
    "granite with biases": (
        "granite",
        {"attention_bias": True, "mlp_bias": True, "attention_multiplier": 0.25},
    ),
    "olmo2": ("olmo2", {"pad_token_id": 0}),
    "olmo2 with biases and yarn": (
        "olmo2",
        {"pad_token_id": 0, "attention_bias": True, **_rope(**_YARN)},
    ),
}


SHAPES = {**SHAPES, **GPT_SHAPES}
EMBEDDINGS = ("embed_tokens.weight", "embed_in.weight", "wte.weight")
"""How the names of token embeddings end."""


def write(name: str, folder: Path) -> Path:
    """Write the checkpoint of one of `SHAPES` into `folder`, which is created."""
    model_type, settings = SHAPES[name]
    if name in GPT_SHAPES:
        return checkpoints.write_family(folder, model_type, settings)
    return checkpoints.write_like_llama(folder, model_type, **settings)


def in_older_words(data: dict[str, Any]) -> dict[str, Any]:
    """A config.json of `transformers` 5 as its fourth generation wrote it."""
    data = dict(data)
    options = data.pop("rope_parameters", None)
    if options is None:
        return data
    if "full_attention" in options:
        data["rope_local_base_freq"] = options["sliding_attention"]["rope_theta"]
        options = options["full_attention"]
    options = dict(options)
    kind, data["rope_theta"] = options.pop("rope_type"), options.pop("rope_theta")
    data["rope_scaling"] = {**options, "type": kind} if kind != "default" else None
    if "partial_rotary_factor" in options:
        data["partial_rotary_factor"] = options["partial_rotary_factor"]
    if data["model_type"] == "gpt_neox":
        data["rotary_emb_base"] = data.pop("rope_theta")
        data["rotary_pct"] = data.pop("partial_rotary_factor")
    return data
