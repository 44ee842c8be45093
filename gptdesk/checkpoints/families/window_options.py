"""Sliding windows: which layers see the newest tokens only, as config.json files say it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader
from gptdesk.model.config import ModelConfig

FULL, SLIDING = "full_attention", "sliding_attention"


def read_window(
    reader: ConfigReader, num_layers: int, window: int | None, full_layers: Collection[int]
) -> tuple[int | None, tuple[int, ...]]:
    """The window and the layers without it, for `ModelConfig`.

    Args:
        reader: config.json; its key `layer_types`, if there, decides layer by layer.
        num_layers: of the model.
        window: its size; None for no window.
        full_layers: layers that see everything, if `layer_types` is absent.

    Raises:
        CheckpointError: `layer_types` does not fit the rest.
        UnsupportedModelError: it names a kind that is not built.
    """
    kinds = _layer_types(reader, num_layers)
    if kinds is None:
        kinds = [FULL if i in full_layers or window is None else SLIDING for i in range(num_layers)]
    full = tuple(i for i, kind in enumerate(kinds) if kind == FULL)
    if len(full) == num_layers:
        return None, ()
    if window is None:
        raise reader.invalid("sliding_window", f"a whole number, as layer_types has {SLIDING}")
    return window, full


def write_window(config: ModelConfig) -> dict[str, Any]:
    """The same as keys of config.json."""
    full = config.full_attention_layers
    layers = range(config.num_layers if config.sliding_window is not None else 0)
    return {
        "sliding_window": config.sliding_window,
        "layer_types": [FULL if i in full else SLIDING for i in layers]
        or [FULL] * config.num_layers,
    }


def refuse_window(reader: ConfigReader, context_length: int) -> None:
    """Raise if a family without windows asks for one; one that is never filled changes nothing.

    Raises:
        UnsupportedModelError: names the key.
    """
    window = reader.data.get("sliding_window")
    if window is None or not reader.flag("use_sliding_window", True):
        return
    if not isinstance(window, int) or window < context_length:
        raise reader.unsupported("sliding_window", window)


def _layer_types(reader: ConfigReader, num_layers: int) -> list[str] | None:
    kinds = reader.data.get("layer_types")
    if kinds is None:
        return None
    if not isinstance(kinds, list) or len(kinds) != num_layers:
        raise reader.invalid("layer_types", f"a list of {num_layers} names")
    for kind in kinds:
        if kind not in (FULL, SLIDING):
            raise reader.unsupported("layer_types", kind)
    return kinds
