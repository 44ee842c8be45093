"""The torch-free list of parameters is the module's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from gptdesk.checkpoints.families import FAMILIES
from gptdesk.checkpoints.layout import parameter_shapes
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT

BASE = ModelConfig(
    architecture="llama",
    vocab_size=11,
    context_length=6,
    num_layers=2,
    hidden_size=8,
    num_heads=4,
    num_kv_heads=2,
    head_dim=4,
    intermediate_size=10,
)
VARIANTS: list[dict[str, Any]] = [
    {},
    {"tied_embeddings": True},
    {"qkv_bias": True},
    {"attention_output_bias": True},
    {"mlp_bias": True},
    {"mlp_bias": True, "gated_mlp": False},
    {"qk_norm": "head"},
    {"sliding_window": 3, "full_attention_layers": (1,)},
    {"norm": "layernorm", "position": "learned", "gated_mlp": False, "num_kv_heads": 4},
    {"norm": "layernorm", "norm_bias": False, "qk_norm": "head"},
    {"block_norms": "after", "qk_norm": "width", "norm_unit_offset": True},
    {"block_norms": "around", "head_bias": True, "tied_embeddings": True},
    {"residual": "parallel", "head_bias": True, "rotary_dim": 2},
    {"residual": "parallel_shared_norm", "rope_free_layers": (0,)},
]


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_shapes_are_those_of_the_module(changes: dict[str, Any]) -> None:
    config = replace(BASE, **changes)
    with torch.device("meta"):
        parameters = dict(GPT(config).named_parameters())
    shapes = parameter_shapes(config)
    assert {name: tuple(value.shape) for name, value in parameters.items()} == shapes
    assert config.num_parameters == sum(value.numel() for value in parameters.values())


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_every_parameter_has_exactly_one_source(family: Any) -> None:
    config = replace(BASE, architecture=family.model_type)
    if family.model_type == "gpt2":
        config = replace(
            config, norm="layernorm", position="learned", gated_mlp=False, num_kv_heads=4
        )
    fed = [name for rule in family.sources(config) for name in rule.ours]
    assert sorted(fed) == sorted(parameter_shapes(config))
