"""Phi-3 and Phi-4-mini (2024, arXiv:2404.14219): Llama with fused projections and LongRoPE."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family, Rule
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.rope_options import write_rotary_share
from gptdesk.checkpoints.families.window_options import read_window
from gptdesk.model.config import ModelConfig

_FIRST_NAMES_OF_LONGROPE = ("su", "yarn")
_ORIGINAL = "original_max_position_embeddings"


def read_phi3(reader: ConfigReader) -> ModelConfig:
    """config.json of a Phi-3 to its shape."""
    for key in ("attention_bias", "mlp_bias"):
        if reader.flag(key, False):
            raise reader.unsupported(key, True)
    keys = _renamed(reader.with_defaults(rms_norm_eps=1e-5, **{_ORIGINAL: 4096}))
    config = read_shape(keys, "phi3", context_length=4096, rotary_share=1.0, long_texts=True)
    window = None
    if reader.data.get("sliding_window") is not None:
        window = reader.integer("sliding_window")
    if read_window(reader, config.num_layers, window, ()) != (window, ()):
        # `transformers` ignores the key for this family; other programs do not.
        raise reader.unsupported("layer_types", reader.data["layer_types"])
    return replace(config, sliding_window=window)


def _renamed(reader: ConfigReader) -> ConfigReader:
    """The same with today's name of LongRoPE, and with no other method."""
    key = "rope_scaling" if reader.mapping("rope_scaling") else "rope_parameters"
    options = dict(reader.mapping(key))
    kind = options.pop("type", None)
    kind = options.get("rope_type", kind)
    if kind in _FIRST_NAMES_OF_LONGROPE:
        kind = "longrope"
    if kind not in (None, "default", "longrope"):
        raise reader.unsupported(f"{key}.rope_type", kind)
    return reader.with_values(**{key: {**options, "rope_type": kind or "default"}})


def write_phi3(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    keys = write_shape(config)
    settings = keys["rope_parameters"]
    return {
        **keys,
        "partial_rotary_factor": write_rotary_share(config),
        _ORIGINAL: settings.get(_ORIGINAL, config.context_length),
        "sliding_window": config.sliding_window,
    }


def _rules() -> tuple[Rule, ...]:
    layer = "model.layers.{i}"
    qkv = tuple(f"{layer}.self_attn.{name}_proj.weight" for name in "qkv")
    gate_up = tuple(f"{layer}.mlp.{name}_proj.weight" for name in ("gate", "up"))
    return (
        Rule(f"{layer}.self_attn.qkv_proj.weight", qkv),
        Rule(f"{layer}.mlp.gate_up_proj.weight", gate_up),
    )


PHI3 = Family(
    model_type="phi3",
    architecture="Phi3ForCausalLM",
    read=read_phi3,
    write=write_phi3,
    rules=_rules(),
    ignored=(STORED_ROTARY_BUFFERS,),
)
