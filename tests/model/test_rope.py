"""Rotary frequencies, as `transformers` computes them for a text of any length."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from gptdesk.checkpoints.families import read_config
from gptdesk.model.config import ModelConfig, Rotary
from gptdesk.model.rope import inverse_frequencies, magnitude

BORDER = 64
SHAPE = {
    "vocab_size": 800,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
LONGROPE: dict[str, Any] = {
    "rope_type": "longrope",
    "rope_theta": 10_000.0,
    "short_factor": [1.0 + 0.1 * pair for pair in range(6)],
    "long_factor": [1.5 + 0.7 * pair for pair in range(6)],
    "partial_rotary_factor": 0.75,
}
CONFIGS: dict[str, dict[str, Any]] = {
    "dynamic": {
        "model_type": "llama",
        "max_position_embeddings": BORDER,
        "rope_parameters": {"rope_type": "dynamic", "rope_theta": 5e5, "factor": 3.0},
    },
    "longrope": {
        "model_type": "phi3",
        "max_position_embeddings": 512,
        "original_max_position_embeddings": BORDER,
        "rope_parameters": LONGROPE,
    },
    "longrope with a growth of its own": {
        "model_type": "phi3",
        "max_position_embeddings": 512,
        "original_max_position_embeddings": BORDER,
        "rope_parameters": {**LONGROPE, "attention_factor": 1.5},
    },
    "longrope with a factor of its own": {
        "model_type": "phi3",
        "max_position_embeddings": 512,
        "original_max_position_embeddings": BORDER,
        "rope_parameters": {**LONGROPE, "factor": 3.0},
    },
}


def rotary(config: ModelConfig) -> Rotary:
    found = config.rotary(0)
    assert found is not None
    return found


@pytest.mark.parametrize("length", [1, BORDER - 1, BORDER, BORDER + 1, 100, 150])
@pytest.mark.parametrize("name", CONFIGS)
def test_frequencies_of_a_text(name: str, length: int) -> None:
    data = {**SHAPE, **CONFIGS[name]}
    config = AutoConfig.for_model(**data)
    kind = config.rope_parameters["rope_type"]
    wanted, growth = ROPE_INIT_FUNCTIONS[kind](config, torch.device("cpu"), seq_len=length)
    ours = rotary(read_config(data)).at(length)
    assert torch.allclose(inverse_frequencies(ours), wanted, rtol=1e-6)
    assert magnitude(ours) == pytest.approx(growth)


@pytest.mark.parametrize("name", CONFIGS)
@given(st.integers(1, BORDER))
def test_short_texts_share_their_frequencies(name: str, length: int) -> None:
    plain = rotary(read_config({**SHAPE, **CONFIGS[name]}))
    ours = inverse_frequencies(plain.at(length))
    assert torch.equal(ours, inverse_frequencies(plain))
