"""Sliding windows: what config.json may leave away, and what it is refused for."""

from __future__ import annotations

from typing import Any

import pytest

from gptdesk.checkpoints.families import read_config
from gptdesk.errors import CheckpointError, UnsupportedModelError

SHAPE = {
    "vocab_size": 800,
    "max_position_embeddings": 512,
    "hidden_size": 64,
    "intermediate_size": 176,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
}
ON = {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 24}
FULL, SLIDING = "full_attention", "sliding_attention"


@pytest.mark.parametrize(
    ("keys", "windows"),
    [
        ({"model_type": "qwen2"}, [None, None, None]),
        ({"model_type": "qwen2", "sliding_window": 24, "max_window_layers": 1}, [None] * 3),
        (ON, [None, None, None]),
        ({**ON, "max_window_layers": 0}, [24, 24, 24]),
        ({**ON, "max_window_layers": 2}, [None, None, 24]),
        ({**ON, "max_window_layers": 2, "sliding_window": None}, [None, None, None]),
        ({**ON, "layer_types": [SLIDING, FULL, FULL]}, [24, None, None]),
        ({**ON, "max_window_layers": 1, "sliding_window": 512}, [None, None, None]),
        ({"model_type": "mistral", "sliding_window": 24}, [24, 24, 24]),
        ({"model_type": "mistral", "sliding_window": None}, [None, None, None]),
        ({"model_type": "mistral", "max_position_embeddings": 8192}, [4096, 4096, 4096]),
    ],
    ids=str,
)
def test_the_window_of_each_layer(keys: dict[str, Any], windows: list[int | None]) -> None:
    config = read_config({**SHAPE, **keys})
    assert [config.window(layer) for layer in range(3)] == windows


@pytest.mark.parametrize(
    ("error", "named", "keys"),
    [
        (CheckpointError, "layer_types", {**ON, "layer_types": [SLIDING]}),
        (CheckpointError, "layer_types", {**ON, "layer_types": SLIDING}),
        (UnsupportedModelError, "layer_types", {**ON, "layer_types": [FULL, FULL, "chunked"]}),
        (
            CheckpointError,
            "sliding_window",
            {"model_type": "qwen2", "layer_types": [FULL, FULL, SLIDING]},
        ),
        (CheckpointError, "sliding_window", {**ON, "sliding_window": 0}),
        (CheckpointError, "max_window_layers", {**ON, "max_window_layers": -1}),
        (
            UnsupportedModelError,
            "layer_types",
            {"model_type": "mistral", "layer_types": [FULL, SLIDING, SLIDING]},
        ),
        (UnsupportedModelError, "sliding_window", {"model_type": "llama", "sliding_window": 24}),
    ],
    ids=str,
)
def test_contradictions(error: type[Exception], named: str, keys: dict[str, Any]) -> None:
    with pytest.raises(error, match=named) as caught:
        read_config({**SHAPE, **keys})
    assert type(caught.value) is error
    assert "config.json" in str(caught.value)
