"""Qwen3 (Yang et al. 2025, arXiv:2505.09388): Qwen2 with normalised queries and keys, not biases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.qwen2 import read_switched_window, write_switched_window
from gptdesk.model.config import ModelConfig


def read_qwen3(reader: ConfigReader) -> ModelConfig:
    """config.json of a Qwen3 to its shape."""
    config = read_shape(reader, "qwen3", context_length=32_768, head_dim=128, kv_heads=32)
    window, full = read_switched_window(reader, config.num_layers)
    bias = reader.flag("attention_bias", False)
    return replace(
        config,
        qkv_bias=bias,
        attention_output_bias=bias,
        qk_norm="head",
        sliding_window=window,
        full_attention_layers=full,
    )


def write_qwen3(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        **write_shape(config),
        **write_switched_window(config),
        "attention_bias": config.qkv_bias,
    }


QWEN3 = Family(
    model_type="qwen3",
    architecture="Qwen3ForCausalLM",
    read=read_qwen3,
    write=write_qwen3,
    ignored=(STORED_ROTARY_BUFFERS,),
)
