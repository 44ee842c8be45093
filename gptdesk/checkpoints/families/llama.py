"""Llama (Touvron et al. 2023, arXiv:2302.13971): the layout that our parameter names follow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import refuse_window
from gptdesk.model.config import ModelConfig


def read_llama(reader: ConfigReader) -> ModelConfig:
    """config.json of a Llama to its shape."""
    config = read_shape(reader, "llama", context_length=2048)
    refuse_window(reader, config.context_length)
    return read_biases(reader, config)


def write_llama(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {**write_shape(config), **write_biases(config)}


def read_biases(reader: ConfigReader, config: ModelConfig) -> ModelConfig:
    """`config` with the biases of a Llama."""
    bias = reader.flag("attention_bias", False)
    return replace(
        config,
        qkv_bias=bias,
        attention_output_bias=bias,
        mlp_bias=reader.flag("mlp_bias", False),
    )


def write_biases(config: ModelConfig) -> dict[str, Any]:
    """The same as keys of config.json."""
    return {"attention_bias": config.qkv_bias, "mlp_bias": config.mlp_bias}


LLAMA = Family(
    model_type="llama",
    architecture="LlamaForCausalLM",
    read=read_llama,
    write=write_llama,
    ignored=(STORED_ROTARY_BUFFERS,),
)
