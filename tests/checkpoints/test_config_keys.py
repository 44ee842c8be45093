"""config.json: keys that are absent, of older files, beyond the context, or ahead of this version."""

from __future__ import annotations

from typing import Any

import pytest

from gptdesk.checkpoints.families import FAMILIES, read_config
from gptdesk.errors import CheckpointError, UnsupportedModelError

_GPT2 = {"vocab_size": 800, "n_embd": 256, "n_layer": 3, "n_head": 4}
_LLAMA = {
    "vocab_size": 800,
    "hidden_size": 1024,
    "num_hidden_layers": 3,
    "num_attention_heads": 64,
    "intermediate_size": 176,
}
SIZES: dict[str, dict[str, int]] = {
    "gpt2": _GPT2,
    "gptj": {**_GPT2, "n_head": 2},
    "gpt_neo": {"vocab_size": 800, "hidden_size": 64, "num_layers": 24, "num_heads": 4},
}
NEOX = {"model_type": "gpt_neox", **_LLAMA}
PHI = {"model_type": "phi", **_LLAMA}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768}


@pytest.mark.parametrize("kind", sorted(FAMILIES.keys() - {"nanogpt"}))
def test_a_key_that_is_absent_means_what_it_means_to_the_reference(kind: str) -> None:
    from transformers import AutoConfig

    data = {"model_type": kind, "pad_token_id": None, **SIZES.get(kind, _LLAMA)}
    assert read_config(data) == read_config(AutoConfig.for_model(**data).to_dict())


@pytest.mark.parametrize("kind", ["qwen2", "mistral", "smollm3"])
def test_no_number_of_keys_means_as_many_as_queries(kind: str) -> None:
    data = {"model_type": kind, **_LLAMA, "num_key_value_heads": None}
    assert read_config(data).num_kv_heads == 64


def test_yarn_reaches_as_far_as_its_frequencies_are_stretched() -> None:
    """Qwen's files keep the context of the training in max_position_embeddings."""
    data = {"model_type": "qwen2", **_LLAMA, "max_position_embeddings": 32_768}
    assert read_config(data).context_length == 32_768
    assert read_config({**data, "rope_scaling": YARN}).context_length == 131_072
    data["max_position_embeddings"] = 200_000
    assert read_config({**data, "rope_scaling": YARN}).context_length == 200_000


def test_rotary_keys_of_older_neox_files() -> None:
    old = read_config({**NEOX, "rotary_pct": 0.5, "rotary_emb_base": 500})
    assert (old.rotary_dim, old.rope_theta) == (8, 500.0)
    new = {"rope_type": "default", "rope_theta": 500, "partial_rotary_factor": 0.5}
    assert read_config({**NEOX, "rope_parameters": new}) == old


@pytest.mark.parametrize("share", [0.4, 0.7, 1 / 3])
def test_a_share_of_a_head_is_written_so_that_it_is_read_again(share: float) -> None:
    data = {**PHI, "num_attention_heads": 1, "hidden_size": 980, "partial_rotary_factor": share}
    config = read_config(data)
    assert config.rotary_dim == int(980 * share)
    assert read_config({"model_type": "phi", **FAMILIES["phi"].write(config)}) == config


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("rotary_pct", {**NEOX, "rotary_pct": 1.5}),
        ("rotary_pct", {**NEOX, "rotary_pct": 0.01}),
        ("partial_rotary_factor", {**PHI, "partial_rotary_factor": 0.45}),
        ("partial_rotary_factor", {**PHI, "partial_rotary_factor": "half"}),
        ("num_attention_heads", {**NEOX, "num_attention_heads": 7}),
        ("num_key_value_heads", {**PHI, "num_key_value_heads": 7}),
        ("rotary_dim", {"model_type": "gptj", **_GPT2, "rotary_dim": 5}),
        ("rotary_dim", {"model_type": "gptj", **_GPT2, "rotary_dim": None}),
        ("rotary_dim", {"model_type": "gptj", **_GPT2, "rotary_dim": 128}),
        ("n_head", {"model_type": "gptj", **_GPT2, "n_head": 3}),
        *(
            ("attention_types", {"model_type": "gpt_neo", **SIZES["gpt_neo"], "attention_types": x})
            for x in (
                "global",
                [],
                ["global"],
                [[["global"], 3]],
                [[["global"], 10**12]],
                [[["global"], -1], [["global"], 25]],
                [[[], 24]],
                [[["linear"], 24]],
                [[[["global"]], 24]],
            )
        ),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(key: str, data: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_config(data)
    assert key in caught.value.title
    assert "config.json" in caught.value.title


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("head_dim", {**NEOX, "head_dim": 32}),
        ("qk_layernorm", {**PHI, "head_dim": 32, "qk_layernorm": True}),
        ("hidden_act", {**PHI, "hidden_act": "gelu_10"}),
        ("partial_rotary_factor", {"model_type": "llama", **_LLAMA, "partial_rotary_factor": 0.5}),
    ],
)
def test_what_is_not_built_is_refused_by_name(key: str, data: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        read_config(data)
    assert key in caught.value.title
