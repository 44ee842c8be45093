"""Granite 3 (2024): Llama with four multipliers, for training that does not depend on the width.

Yang et al. 2022, arXiv:2203.03466, is where such multipliers come from.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama import read_biases, write_biases
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import refuse_window
from gptdesk.model.config import ModelConfig


def read_granite(reader: ConfigReader) -> ModelConfig:
    """config.json of a Granite to its shape."""
    config = read_shape(reader, "granite", context_length=2048)
    refuse_window(reader, config.context_length)
    return replace(
        read_biases(reader, config),
        embedding_scale=reader.number("embedding_multiplier", 1.0),
        residual_scale=reader.number("residual_multiplier", 1.0),
        attention_scale=reader.number("attention_multiplier", 1.0),
        logit_divisor=reader.number("logits_scaling", 1.0),
    )


def write_granite(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        **write_shape(config),
        **write_biases(config),
        "embedding_multiplier": config.embedding_scale,
        "residual_multiplier": config.residual_scale,
        "attention_multiplier": config.score_scale(0),
        "logits_scaling": config.logit_divisor,
    }


GRANITE = Family(
    model_type="granite",
    architecture="GraniteForCausalLM",
    read=read_granite,
    write=write_granite,
    ignored=(STORED_ROTARY_BUFFERS,),
)
