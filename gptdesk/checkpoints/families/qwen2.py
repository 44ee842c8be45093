"""Qwen2 and Qwen2.5 (Yang et al. 2024, arXiv:2407.10671): Llama with biases on q, k and v.

A window over the upper layers is in every config.json, and switched off in nearly all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import read_window, write_window
from gptdesk.model.config import ModelConfig


def read_qwen2(reader: ConfigReader) -> ModelConfig:
    """config.json of a Qwen2 to its shape."""
    config = read_shape(reader, "qwen2", context_length=32_768, kv_heads=32)
    window, full = read_switched_window(reader, config.num_layers)
    return replace(config, qkv_bias=True, sliding_window=window, full_attention_layers=full)


def write_qwen2(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {**write_shape(config), **write_switched_window(config)}


def read_switched_window(
    reader: ConfigReader, num_layers: int
) -> tuple[int | None, tuple[int, ...]]:
    """The window that `use_sliding_window` switches on, as `read_window` returns it."""
    window = None
    # An absent size has a default, and null means none.
    if (
        reader.flag("use_sliding_window", False)
        and reader.data.get("sliding_window", 0) is not None
    ):
        window = reader.integer("sliding_window", 4096)
    full_layers = reader.integer("max_window_layers", 28, least=0)
    return read_window(reader, num_layers, window, range(full_layers))


def write_switched_window(config: ModelConfig) -> dict[str, Any]:
    """The same as keys of config.json."""
    return {
        **write_window(config),
        "use_sliding_window": config.sliding_window is not None,
        "max_window_layers": len(config.full_attention_layers),
    }


QWEN2 = Family(
    model_type="qwen2",
    architecture="Qwen2ForCausalLM",
    read=read_qwen2,
    write=write_qwen2,
    ignored=(STORED_ROTARY_BUFFERS,),
)
