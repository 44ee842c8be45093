"""Rotary position settings, which config.json files keep in two places.

`transformers` 5 writes `rope_parameters` {rope_type, rope_theta, …}; older files have
`rope_theta` beside `rope_scaling` {type or rope_type, …}. Both are in the wild.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader
from gptdesk.model.config import MAX_CONTEXT, ModelConfig
from gptdesk.model.rope_scaling import (
    DynamicScaling,
    FactorScaling,
    LinearScaling,
    Llama3Scaling,
    LongRopeScaling,
    RopeScaling,
    YarnScaling,
)

DEFAULT_THETA = 10_000.0


def read_rope(
    reader: ConfigReader,
    context_length: int,
    *,
    theta_key: str = "rope_theta",
    partial: bool = False,
    long_texts: bool = False,
) -> tuple[float, RopeScaling | None]:
    """The base of the rotary frequencies, and how these are stretched.

    Args:
        reader: config.json.
        context_length: its `max_position_embeddings`; see `full_context`.
        theta_key: what older files of the family call the base.
        partial: the family can turn a part of each head only; see `read_rotary_dim`.
        long_texts: the family reads a text again where it outgrows LongRoPE's short factors; in
            `transformers` the others go on with keys that no longer fit.

    Raises:
        CheckpointError: a setting is missing or of the wrong type.
        UnsupportedModelError: the positions are stretched by a method that is not built: the
            model would run and write nonsense in long texts.
    """
    key, options = _options(reader)
    if not partial:
        _refuse_partial(reader, "")
        _refuse_partial(options, f"{key}.")
    for name, value in options.data.items():
        if isinstance(value, dict):
            raise reader.unsupported(f"{key}.{name}", value)
    theta = options.number("rope_theta", reader.number(theta_key, DEFAULT_THETA))
    kind = options.data.get("rope_type", options.data.get("type", "default"))
    if kind == "default":
        return theta, None
    if not isinstance(kind, str) or kind not in _KINDS.values():
        raise reader.unsupported(f"{key}.rope_type", kind)
    original = options.integer("original_max_position_embeddings", context_length)
    original = reader.integer("original_max_position_embeddings", original)
    if kind == "longrope" and not (long_texts or _same_for_any_length(options)):
        raise reader.unsupported(f"{key}.rope_type", kind)
    return theta, _scaling(kind, options, original, context_length)


def read_rotary_dim(
    reader: ConfigReader, head_dim: int, default: float, *, key: str = "partial_rotary_factor"
) -> int | None:
    """How many dimensions of a head are turned, for `ModelConfig`; None for all of them.

    Args:
        reader: config.json.
        head_dim: width of one head.
        default: the share that the family takes where the file names none.
        key: what older files of the family call the share.
    """
    _, options = _options(reader)
    chosen = reader if options.data.get("partial_rotary_factor") is None else options
    named = key if chosen is reader else "partial_rotary_factor"
    share = chosen.number(named, default)
    dim = int(head_dim * share)  # rounded down, as in `transformers`
    if not 0 < share <= 1 or dim < 2 or dim % 2:
        raise chosen.invalid(named, f"a share of the {head_dim} dimensions of a head that is even")
    return None if dim == head_dim else dim


def write_rotary_share(config: ModelConfig) -> float:
    """The share of each head that is turned, such that `read_rotary_dim` does not round it down."""
    if config.rotary_dim is None:
        return 1.0
    share = config.rotary_dim / config.head_dim
    while int(config.head_dim * share) < config.rotary_dim:
        share = math.nextafter(share, 1.0)
    return share


def full_context(trained: int, scaling: RopeScaling | None) -> int:
    """Tokens that a model can attend to whose `max_position_embeddings` are `trained`.

    More than that where the base of the frequencies grows with the text, or YaRN stretches them
    for more: there the key holds, as a rule, the context of the training. `transformers` itself
    has no limit; Qwen's files say 32,768 and are meant to be used up to 131,072.
    """
    match scaling:
        case DynamicScaling(factor=factor):
            stretched = trained * factor
        case YarnScaling(factor=factor, original_context=original):
            stretched = original * factor
        case _:
            return trained
    return max(trained, int(min(stretched, MAX_CONTEXT)))


def trained_context(config: ModelConfig) -> int:
    """The `max_position_embeddings` of a model."""
    scaling = config.rope_scaling
    return (
        scaling.original_context if isinstance(scaling, DynamicScaling) else config.context_length
    )


def write_rope(config: ModelConfig) -> dict[str, Any]:
    """The settings as keys of config.json, in the old place and the new one."""
    scaling = _written(config)
    return {
        "rope_theta": config.rope_theta,
        "rope_scaling": scaling if config.rope_scaling is not None else None,
        "rope_parameters": {**scaling, "rope_theta": config.rope_theta},
    }


def _options(reader: ConfigReader) -> tuple[str, ConfigReader]:
    """The object that holds the settings of rotary positions, and its key."""
    # A file with both is an old one that was written again: `transformers` believes the old key.
    key = "rope_scaling" if reader.mapping("rope_scaling") else "rope_parameters"
    return key, ConfigReader(reader.mapping(key), f"{reader.source}, {key}")


def _refuse_partial(reader: ConfigReader, prefix: str) -> None:
    if reader.number("partial_rotary_factor", 1.0) != 1.0:
        value = reader.data["partial_rotary_factor"]
        raise reader.unsupported(f"{prefix}partial_rotary_factor", value)


def _written(config: ModelConfig) -> dict[str, Any]:
    scaling = config.rope_scaling
    kind: dict[str, Any] = {"rope_type": _KINDS[type(scaling)] if scaling else "default"}
    if config.rotary_dim is not None:
        kind["partial_rotary_factor"] = write_rotary_share(config)
    match scaling:
        case None:
            return kind
        case DynamicScaling():
            return {**kind, "factor": scaling.factor}
        case FactorScaling(factors=short) as both:
            original, long = config.context_length, short
            attention_factor = both.attention_factor
        case LongRopeScaling() as both:
            original, short, long = both.original_context, both.short_factors, both.long_factors
            attention_factor = both.attention_factor
        case _:
            options = asdict(scaling)
            if "original_context" in options:
                options["original_max_position_embeddings"] = options.pop("original_context")
            return {**kind, **options}
    return {
        **kind,
        "original_max_position_embeddings": original,
        "short_factor": list(short),
        "long_factor": list(long),
        "attention_factor": attention_factor,
    }


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
    if kind == "longrope":
        return _longrope(options, original, context_length)
    factor = options.number("factor")
    if kind == "linear":
        return LinearScaling(factor=factor)
    return DynamicScaling(factor=factor, original_context=context_length)


def _same_for_any_length(options: ConfigReader) -> bool:
    short, long = options.data.get("short_factor"), options.data.get("long_factor")
    return short is not None and short == long


def _longrope(options: ConfigReader, original: int, context_length: int) -> RopeScaling:
    factor = options.number("factor", context_length / max(original, 1))
    growth = 1.0
    if factor > 1 and original > 1:
        growth = math.sqrt(1 + math.log(factor) / math.log(original))
    short, long = options.numbers("short_factor"), options.numbers("long_factor")
    growth = options.number("attention_factor", growth)
    if short == long:
        return FactorScaling(factors=short, attention_factor=growth)
    return LongRopeScaling(
        original_context=original,
        short_factors=short,
        long_factors=long,
        attention_factor=growth,
    )


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
    FactorScaling: "longrope",
    LongRopeScaling: "longrope",
    DynamicScaling: "dynamic",
    Llama3Scaling: "llama3",
    YarnScaling: "yarn",
}
