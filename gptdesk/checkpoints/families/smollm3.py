"""SmolLM3 (2025): Llama with layers that know no positions, every fourth as a rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, Family
from gptdesk.checkpoints.families.llama import read_biases, write_biases
from gptdesk.checkpoints.families.llama_keys import STORED_ROTARY_BUFFERS, read_shape, write_shape
from gptdesk.checkpoints.families.window_options import read_window, write_window
from gptdesk.model.config import ModelConfig


def read_smollm3(reader: ConfigReader) -> ModelConfig:
    """config.json of a SmolLM3 to its shape."""
    keys = reader.with_defaults(rope_theta=2_000_000.0, tie_word_embeddings=True)
    config = read_shape(keys, "smollm3", context_length=32_768, kv_heads=4)
    layers = range(config.num_layers)
    free = _rope_free_layers(reader, config.num_layers)
    window = None
    if reader.data.get("sliding_window") is not None:
        window = reader.integer("sliding_window")
    # Without `layer_types` it is the layers without positions that may have a window.
    slide = window is not None and reader.flag("use_sliding_window", False)
    full = [i for i in layers if not (slide and i in free)]
    window, full_layers = read_window(reader, config.num_layers, window, full)
    return replace(
        read_biases(reader, config),
        rope_free_layers=free,
        sliding_window=window,
        full_attention_layers=full_layers,
    )


def _rope_free_layers(reader: ConfigReader, num_layers: int) -> tuple[int, ...]:
    if reader.data.get("no_rope_layers") is None:
        interval = reader.integer("no_rope_layer_interval", 4)
        return tuple(range(interval - 1, num_layers, interval))
    uses_rope = reader.numbers("no_rope_layers")  # 1 where a layer has rope, whatever the name
    if len(uses_rope) < num_layers:
        raise reader.invalid("no_rope_layers", f"a list of {num_layers} numbers")
    return tuple(i for i in range(num_layers) if not uses_rope[i])


def write_smollm3(config: ModelConfig) -> dict[str, Any]:
    """The shape as keys of config.json."""
    return {
        **write_shape(config),
        **write_biases(config),
        **write_window(config),
        "use_sliding_window": config.sliding_window is not None,
        "no_rope_layers": [int(i not in config.rope_free_layers) for i in range(config.num_layers)],
    }


SMOLLM3 = Family(
    model_type="smollm3",
    architecture="SmolLM3ForCausalLM",
    read=read_smollm3,
    write=write_smollm3,
    ignored=(STORED_ROTARY_BUFFERS,),
)
