"""Rotary position settings, which config.json files keep in two places.

`transformers` 5 writes `rope_parameters` {rope_type, rope_theta, …}; older files have
`rope_theta` beside `rope_scaling` {type or rope_type, …}. Both are in the wild.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader
from gptdesk.model.config import ModelConfig
from gptdesk.model.rope_scaling import (
    DynamicScaling,
    LinearScaling,
    Llama3Scaling,
    RopeScaling,
    YarnScaling,
)

DEFAULT_THETA = 10_000.0


def read_rope(reader: ConfigReader, context_length: int) -> tuple[float, RopeScaling | None]:
    """The base of the rotary frequencies, and how these are stretched.

    Raises:
        CheckpointError: a setting is missing or of the wrong type.
        UnsupportedModelError: the positions are stretched by a method that is not built: the
            model would run and write nonsense in long texts.
    """
    _refuse_partial(reader, "")
    # A file with both is an old one that was written again: `transformers` believes the old key.
    key = "rope_scaling" if reader.mapping("rope_scaling") else "rope_parameters"
    options = ConfigReader(reader.mapping(key), f"{reader.source}, {key}")
    _refuse_partial(options, f"{key}.")
    for name, value in options.data.items():
        if isinstance(value, dict):
            raise reader.unsupported(f"{key}.{name}", value)
    theta = options.number("rope_theta", reader.number("rope_theta", DEFAULT_THETA))
    kind = options.data.get("rope_type", options.data.get("type", "default"))
    if kind == "default":
        return theta, None
    if not isinstance(kind, str) or kind not in _KINDS.values():
        raise reader.unsupported(f"{key}.rope_type", kind)
    original = options.integer("original_max_position_embeddings", context_length)
    original = reader.integer("original_max_position_embeddings", original)
    return theta, _scaling(kind, options, original, context_length)


def write_rope(config: ModelConfig) -> dict[str, Any]:
    """The settings as keys of config.json, in the old place and the new one."""
    scaling: dict[str, Any] = {"rope_type": "default"}
    if config.rope_scaling is not None:
        scaling = {"rope_type": _KINDS[type(config.rope_scaling)], **asdict(config.rope_scaling)}
    if "original_context" in scaling:
        scaling["original_max_position_embeddings"] = scaling.pop("original_context")
    return {
        "rope_theta": config.rope_theta,
        "rope_scaling": scaling if config.rope_scaling is not None else None,
        "rope_parameters": {**scaling, "rope_theta": config.rope_theta},
    }


def _refuse_partial(reader: ConfigReader, prefix: str) -> None:
    if reader.number("partial_rotary_factor", 1.0) != 1.0:
        value = reader.data["partial_rotary_factor"]
        raise reader.unsupported(f"{prefix}partial_rotary_factor", value)


def _scaling(kind: str, options: ConfigReader, original: int, context_length: int) -> RopeScaling:
    """Read the settings of one method in `_KINDS`; `original` is the context of the training."""
    if kind == "llama3":
        return Llama3Scaling(
            factor=options.number("factor"),
            original_context=original,
            low_freq_factor=options.number("low_freq_factor"),
            high_freq_factor=options.number("high_freq_factor"),
        )
    if kind == "yarn":
        return _yarn(options, original, context_length)
    factor = options.number("factor")
    return LinearScaling(factor=factor) if kind == "linear" else DynamicScaling(factor=factor)


def _yarn(options: ConfigReader, original: int, context_length: int) -> RopeScaling:
    factor = options.number("factor", context_length / max(original, 1))
    return YarnScaling(
        factor=factor,
        original_context=original,
        attention_factor=options.number("attention_factor", _yarn_attention(options, factor)),
        beta_fast=options.number("beta_fast", 0) or 32.0,
        beta_slow=options.number("beta_slow", 0) or 1.0,
        truncate=options.flag("truncate", True),
    )


def _yarn_attention(options: ConfigReader, factor: float) -> float:
    """The paper's growth of queries and keys, with the weights that DeepSeek's files give it."""
    above, below = options.number("mscale", 0), options.number("mscale_all_dim", 0)
    if above and below:
        return _growth(factor, above) / _growth(factor, below)
    return _growth(factor, 1)


def _growth(factor: float, weight: float) -> float:
    return 0.1 * weight * math.log(factor) + 1 if factor > 1 else 1.0


_KINDS: dict[type[RopeScaling], str] = {
    LinearScaling: "linear",
    DynamicScaling: "dynamic",
    Llama3Scaling: "llama3",
    YarnScaling: "yarn",
}
