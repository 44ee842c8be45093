"""Gemma 2 (2024, arXiv:2408.00118): Gemma with capped scores and logits, and alternating windows.

Attention and feed-forward are normalised at input and output.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ACTIVATION_NAMES, ConfigReader, Family
from gptdesk.checkpoints.families.gemma import GELU, read_gemma_shape, write_gemma
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS
from gptdesk.checkpoints.families.window_options import read_window, write_window
from gptdesk.model.config import ModelConfig

_WINDOW = 4096


def read_gemma2(reader: ConfigReader) -> ModelConfig:
    """config.json of a Gemma 2 to its shape."""
    config = read_scaled_gemma(reader, "gemma2", context_length=8192)
    window, full = read_window(
        reader, config.num_layers, read_size(reader), range(1, config.num_layers, 2)
    )
    return replace(
        config,
        attention_softcap=read_cap(reader, "attn_logit_softcapping", 50.0),
        logit_softcap=read_cap(reader, "final_logit_softcapping", 30.0),
        sliding_window=window,
        full_attention_layers=full,
    )


def write_gemma2(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        **write_scaled_gemma(config),
        "attn_logit_softcapping": config.attention_softcap,
        "final_logit_softcapping": config.logit_softcap,
    }


def read_scaled_gemma(
    reader: ConfigReader, architecture: str, *, context_length: int
) -> ModelConfig:
    """What Gemma 2 and 3 have in common; arguments as of `read_shape`."""
    activation = reader.activation("hidden_activation", GELU)
    config = read_gemma_shape(
        reader, architecture, activation, context_length=context_length, kv_heads=4
    )
    size = reader.number("query_pre_attn_scalar", 256)
    if size <= 0:
        raise reader.invalid("query_pre_attn_scalar", "above 0")
    return replace(config, block_norms="around", attention_scale=size**-0.5)


def write_scaled_gemma(config: ModelConfig) -> dict[str, Any]:
    """The same as keys of config.json."""
    size = (config.attention_scale or config.head_dim**-0.5) ** -2
    whole = round(size)
    return {
        **write_gemma(config),
        **write_window(config),
        # `transformers` wants a size even where no layer has a window.
        "sliding_window": config.sliding_window or _WINDOW,
        "hidden_activation": ACTIVATION_NAMES[config.activation],
        "query_pre_attn_scalar": whole if abs(size - whole) < 1e-6 * size else size,
    }


def read_size(reader: ConfigReader) -> int | None:
    """`sliding_window`: absent it has a default, and null means none."""
    if reader.data.get("sliding_window", 0) is None:
        return None
    return reader.integer("sliding_window", _WINDOW)


def read_cap(reader: ConfigReader, key: str, default: float | None) -> float | None:
    """The bound of a tanh: absent it has a default, and null means none."""
    if reader.data.get(key, default) is None:
        return None
    return reader.number(key, default)


GEMMA2 = Family(
    model_type="gemma2",
    architecture="Gemma2ForCausalLM",
    read=read_gemma2,
    write=write_gemma2,
    ignored=(STORED_ROTARY_BUFFERS,),
)
