"""What a family's config.json can ask for and is not built is refused by the name of its key."""

from __future__ import annotations

from typing import Any

import pytest

from gptdesk.checkpoints.families import read_config
from gptdesk.errors import CheckpointError, UnsupportedModelError

SHAPE = {
    "vocab_size": 800,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 256,
}
ORIGINAL = "original_max_position_embeddings"
SLIDING = ["sliding_attention"] * 4
LONGROPE: dict[str, Any] = {
    "rope_type": "longrope",
    "short_factor": [1.0] * 8,
    "long_factor": [2.0] * 8,
    ORIGINAL: 64,
}


@pytest.mark.parametrize(
    ("family", "key", "value"),
    [
        ("gemma", "use_bidirectional_attention", True),
        ("gemma", "hidden_activation", "relu"),
        ("gemma", "hidden_act", "hardswish"),
        ("gemma", "sliding_window", 16),
        ("gemma2", "hidden_activation", "hardswish"),
        ("gemma3_text", "hidden_activation", 3),
        ("gemma2", "use_bidirectional_attention", True),
        ("gemma2", "layer_types", ["chunked_attention"] * 4),
        ("gemma3_text", "use_bidirectional_attention", True),
        ("gemma3_text", "rope_parameters", {"chunked_attention": {"rope_theta": 1e4}}),
        ("gemma3_text", "rope_parameters", {"rope_type": "linear", "factor": 2.0}),
        (
            "gemma3_text",
            "rope_type",
            {"sliding_attention": {"rope_type": "linear", "factor": 2.0}},
        ),
        ("phi3", "attention_bias", True),
        ("phi3", "layer_types", ["full_attention"] * 4),
        ("phi3", "rope_scaling", {"type": "linear", "factor": 2.0}),
        ("smollm3", "rope_parameters", LONGROPE),
        ("granite", "sliding_window", 16),
        ("granite", "rope_parameters", {**LONGROPE, "partial_rotary_factor": 0.5}),
        ("olmo2", "sliding_window", 16),
        ("olmo2", "rope_parameters", LONGROPE),
    ],
)
def test_what_is_not_built(family: str, key: str, value: Any) -> None:
    data: dict[str, Any] = {"model_type": family, **SHAPE, key: value}
    if key == "rope_type":  # of the layers with a window
        data["rope_parameters"] = data.pop(key)
    if family == "phi3":
        data.setdefault("sliding_window", 16)
    with pytest.raises(UnsupportedModelError, match=key):
        read_config(data)


@pytest.mark.parametrize(
    ("family", "key", "value"),
    [
        ("gemma2", "query_pre_attn_scalar", 0),
        ("gemma2", "query_pre_attn_scalar", -256),
        ("gemma2", "attn_logit_softcapping", -1.0),
        ("gemma2", "sliding_window", 0),
        ("gemma3_text", "sliding_window_pattern", 0),
        ("gemma3_text", "layer_types", SLIDING[1:]),
        ("gemma3_text", "rope_local_base_freq", -1.0),
        ("gemma3_text", "rope_parameters", {"full_attention": 3}),
        ("phi3", "sliding_window", "wide"),
        ("phi3", "partial_rotary_factor", 0.2),
        ("phi3", "partial_rotary_factor", 10**6),
        ("smollm3", "no_rope_layers", [1, 1]),
        ("smollm3", "no_rope_layers", "none"),
        ("smollm3", "no_rope_layer_interval", 0),
        ("granite", "attention_multiplier", 0),
        ("granite", "logits_scaling", 0),
        ("granite", "residual_multiplier", float("nan")),
        ("granite", "embedding_multiplier", 1e30),
    ],
)
def test_what_cannot_be_right(family: str, key: str, value: Any) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_config({"model_type": family, **SHAPE, key: value})


@pytest.mark.parametrize(
    ("named", "changes"),
    [
        ("short_factor", {"short_factor": None}),
        ("short_factor", {"short_factor": "12345678"}),
        ("short_factor", {"short_factor": [1.0] * 7}),
        ("long_factor", {"long_factor": [1.0] * 10**5}),
        ("long_factor", {"long_factor": [0.0] * 8}),
        ("long_factor", {"long_factor": [-1.0] * 8}),
        ("long_factor", {"long_factor": [True] * 8}),
        ("long_factor", {"long_factor": [10**400] * 8}),
        ("long_factor", {"long_factor": [float("nan")] * 8}),
        ("attention_factor", {"attention_factor": 0.0}),
        ("factor", {"factor": "4"}),
    ],
    ids=str,
)
def test_longrope_with_what_cannot_be(named: str, changes: dict[str, Any]) -> None:
    options = {**LONGROPE, **changes}
    with pytest.raises(CheckpointError, match=named):
        read_config({"model_type": "phi3", **SHAPE, ORIGINAL: 64, "rope_scaling": options})


@pytest.mark.parametrize("name", ["su", "yarn", "longrope"])
def test_longrope_by_its_first_names(name: str) -> None:
    new = {"model_type": "phi3", **SHAPE, ORIGINAL: 64, "rope_parameters": LONGROPE}
    options = {key: value for key, value in LONGROPE.items() if key.endswith("_factor")}
    old = {"model_type": "phi3", **SHAPE, ORIGINAL: 64, "rope_scaling": {**options, "type": name}}
    assert read_config(old) == read_config(new)


def test_a_dynamic_base_that_grows_out_of_every_bound() -> None:
    options = {"type": "dynamic", "factor": 1e8}
    config = read_config({"model_type": "llama", **SHAPE, "rope_scaling": options})
    assert config.plain_context == 256
    assert config.context_length > 256
