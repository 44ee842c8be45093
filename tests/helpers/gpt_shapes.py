"""Shapes of the families around GPT-2, GPT-J and GPT-NeoX; see `families`."""

from __future__ import annotations

from typing import Any

from tests.helpers.checkpoints import VOCAB_SIZE

_ALL = {"vocab_size": VOCAB_SIZE, "initializer_range": 0.12, "bos_token_id": 0, "eos_token_id": 0}
_GPT2 = {**_ALL, "n_positions": 256, "n_embd": 64, "n_layer": 3, "n_head": 4}
_GPT_NEO = {
    **_ALL,
    "max_position_embeddings": 256,
    "hidden_size": 64,
    "num_layers": 3,
    "num_heads": 4,
    "attention_types": [[["global", "local", "global"], 1]],
    "window_size": 24,
}
_GPTJ = {**_GPT2, "rotary_dim": 8}
_LATER = {
    **_ALL,
    "max_position_embeddings": 512,
    "hidden_size": 64,
    "intermediate_size": 176,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
}


def _rope(**options: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_theta": 10_000.0, **options}}


GPT_SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", _GPT2),
    "gpt2, untied, unscaled attention, tanh": (
        "gpt2",
        {
            **_GPT2,
            "tie_word_embeddings": False,
            "scale_attn_weights": False,
            "n_inner": 100,
            "activation_function": "tanh",
        },
    ),
    "gpt2, scaled by layer, upcast attention, exact gelu": (
        "gpt2",
        {
            **_GPT2,
            "scale_attn_by_inverse_layer_idx": True,
            "reorder_and_upcast_attn": True,
            "activation_function": "gelu",
        },
    ),
    "gpt neo": ("gpt_neo", _GPT_NEO),
    "gpt neo without windows, untied": (
        "gpt_neo",
        {
            **_GPT_NEO,
            "attention_types": [[["global"], 3]],
            "activation_function": "quick_gelu",
            "intermediate_size": 100,
            "tie_word_embeddings": False,
        },
    ),
    "gpt neo with windows everywhere": (
        "gpt_neo",
        {**_GPT_NEO, "attention_types": [[["local"], 3]], "activation_function": "relu"},
    ),
    "gptj": ("gptj", _GPTJ),
    "gptj, whole heads turned, tied": (
        "gptj",
        {**_GPTJ, "rotary_dim": 16, "n_inner": 100, "tie_word_embeddings": True},
    ),
    "pythia": ("gpt_neox", _LATER),
    "gpt neox, sequential, tied, no biases": (
        "gpt_neox",
        {
            **_LATER,
            "use_parallel_residual": False,
            "attention_bias": False,
            "tie_word_embeddings": True,
            "hidden_act": "gelu_fast",
        },
    ),
    "gpt neox, whole heads turned, linear positions": (
        "gpt_neox",
        {
            **_LATER,
            **_rope(rope_type="linear", factor=4.0, partial_rotary_factor=1.0),
            "hidden_act": "relu2",
        },
    ),
    "phi 1.5": ("phi", _LATER),
    "phi 2 in small: 0.4 of each head, grouped queries, tied": (
        "phi",
        {
            **_LATER,
            **_rope(partial_rotary_factor=0.4),
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "hidden_size": 40,
            "tie_word_embeddings": True,
        },
    ),
    "phi with normalised queries and keys": (
        "phi",
        {**_LATER, **_rope(partial_rotary_factor=0.5), "qk_layernorm": True},
    ),
}
