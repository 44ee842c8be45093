"""OLMo 2 (2024, arXiv:2501.00656): Llama with norms at outputs, and over all queries and keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import refuse_window
from gptdesk.model.config import ModelConfig


def read_olmo2(reader: ConfigReader) -> ModelConfig:
    """config.json of an OLMo 2 to its shape."""
    keys = reader.with_defaults(rms_norm_eps=1e-5)
    config = read_shape(keys, "olmo2", context_length=2048)
    refuse_window(reader, config.context_length)
    bias = reader.flag("attention_bias", False)
    return replace(
        config,
        block_norms="after",
        qk_norm="width",
        qkv_bias=bias,
        attention_output_bias=bias,
    )


def write_olmo2(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {**write_shape(config), "attention_bias": config.qkv_bias}


OLMO2 = Family(
    model_type="olmo2",
    architecture="Olmo2ForCausalLM",
    read=read_olmo2,
    write=write_olmo2,
    ignored=(STORED_ROTARY_BUFFERS,),
)
