"""Gemma 3 (2025, arXiv:2503.19786), text only: Gemma 2 with normalised queries and keys, not caps.

Layers with a window and layers without one have rotary frequencies of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.gemma2 import (
    read_cap,
    read_scaled_gemma,
    read_size,
    write_scaled_gemma,
)
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS
from gptdesk.checkpoints.families.rope_options import DEFAULT_THETA
from gptdesk.checkpoints.families.window_options import FULL, SLIDING, read_window
from gptdesk.model.config import ModelConfig

_GLOBAL_THETA = 1_000_000.0


def read_gemma3(reader: ConfigReader) -> ModelConfig:
    """config.json of a Gemma 3 without eyes to its shape.

    `attn_logit_softcapping` is read by nobody: `transformers` does not pass it on either.
    """
    keys, local_theta = _split_rope(reader)
    config = read_scaled_gemma(keys, "gemma3_text", context_length=131_072)
    pattern = reader.integer("sliding_window_pattern", 6)
    window, full = read_window(
        reader, config.num_layers, read_size(reader), range(pattern - 1, config.num_layers, pattern)
    )
    return replace(
        config,
        qk_norm="head",
        sliding_rope_theta=local_theta if window is not None else None,
        logit_softcap=read_cap(reader, "final_logit_softcapping", None),
        sliding_window=window,
        full_attention_layers=full,
    )


def _split_rope(reader: ConfigReader) -> tuple[ConfigReader, float]:
    """The keys with rotary settings of the layers without a window only; the others' base."""
    by_kind = reader.mapping("rope_parameters")
    for key in by_kind:
        if key not in (FULL, SLIDING):
            raise reader.unsupported(f"rope_parameters.{key}", by_kind[key])
    kinds = ConfigReader(by_kind, f"{reader.source}, rope_parameters")
    sliding = ConfigReader(kinds.mapping(SLIDING), f"{kinds.source}, {SLIDING}")
    kind = sliding.data.get("rope_type", sliding.data.get("type", "default"))
    if kind != "default":
        raise sliding.unsupported("rope_type", kind)
    # A file with both keys is an old one that was written again.
    settings = {**kinds.mapping(FULL), **reader.mapping("rope_scaling")}
    keys = reader.with_values(rope_parameters=settings, rope_scaling=None)
    local_theta = reader.number("rope_local_base_freq", DEFAULT_THETA)
    return (
        keys.with_defaults(rope_theta=_GLOBAL_THETA),
        sliding.number("rope_theta", local_theta),
    )


def write_gemma3(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    keys = write_scaled_gemma(config)
    local_theta = config.sliding_rope_theta or DEFAULT_THETA
    return {
        **keys,
        "rope_local_base_freq": local_theta,
        "rope_parameters": {
            FULL: keys["rope_parameters"],
            SLIDING: {"rope_type": "default", "rope_theta": local_theta},
        },
        "final_logit_softcapping": config.logit_softcap,
    }


GEMMA3_TEXT = Family(
    model_type="gemma3_text",
    architecture="Gemma3ForCausalLM",
    read=read_gemma3,
    write=write_gemma3,
    ignored=(STORED_ROTARY_BUFFERS,),
)
