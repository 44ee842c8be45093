"""Every family in the shapes that its config.json can ask for, as tiny checkpoints to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers import checkpoints

_LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
_YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}


def _rope(**options: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_theta": 10_000.0, **options}}


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
}


def write(name: str, folder: Path) -> Path:
    """Write the checkpoint of one of `SHAPES` into `folder`, which is created."""
    model_type, changes = SHAPES[name]
    return checkpoints.write_like_llama(folder, model_type, **changes)
