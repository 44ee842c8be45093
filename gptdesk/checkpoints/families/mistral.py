"""Mistral (Jiang et al. 2023, arXiv:2310.06825): Llama with a sliding window over all layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import read_window
from gptdesk.model.config import ModelConfig


def read_mistral(reader: ConfigReader) -> ModelConfig:
    """config.json of a Mistral to its shape."""
    config = read_shape(reader, "mistral", context_length=131_072, kv_heads=8)
    window = None
    if reader.data.get("sliding_window", 0) is not None:  # null means none, absent the default
        window = reader.integer("sliding_window", 4096)
    if read_window(reader, config.num_layers, window, ()) != (window, ()):
        # `transformers` ignores the key for this family; other programs do not.
        raise reader.unsupported("layer_types", reader.data["layer_types"])
    return replace(config, sliding_window=window)


def write_mistral(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {**write_shape(config), "sliding_window": config.sliding_window}


MISTRAL = Family(
    model_type="mistral",
    architecture="MistralForCausalLM",
    read=read_mistral,
    write=write_mistral,
    ignored=(STORED_ROTARY_BUFFERS,),
)
