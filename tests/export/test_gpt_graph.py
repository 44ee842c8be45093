"""Every flag of `ModelConfig`, in both variants: the graph computes what the torch module computes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from gptdesk.export.attention_graph import FastAttention
from gptdesk.export.graph_guard import OPERATORS
from gptdesk.export.onnx_format import VARIANTS, Variant
from gptdesk.export.onnx_runtime import CPU, Decoder, open_session
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.model.rope_scaling import LinearScaling, YarnScaling
from tests.export.graphs import random_gpt, write_graph

BASE = ModelConfig(
    architecture="any",
    vocab_size=97,
    context_length=300,
    num_layers=2,
    hidden_size=48,
    num_heads=4,
    num_kv_heads=4,
    head_dim=16,
    intermediate_size=80,
)

POINTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "grouped queries": {"num_kv_heads": 2},
    "one key-value head": {"num_kv_heads": 1},
    "tied": {"tied_embeddings": True},
    "layernorm": {"norm": "layernorm"},
    "large epsilon": {"norm_eps": 0.1},
    "gelu": {"activation": "gelu"},
    "gelu_tanh": {"activation": "gelu_tanh"},
    "quick_gelu": {"activation": "quick_gelu"},
    "relu": {"activation": "relu"},
    "relu2": {"activation": "relu2", "gated_mlp": False},
    "tanh": {"activation": "tanh"},
    "not gated": {"gated_mlp": False},
    "learned positions": {"position": "learned"},
    "another rotary base": {"rope_theta": 500_000.0},
    "positions stretched by a factor": {"rope_scaling": LinearScaling(factor=4.0)},
    "positions that lengthen queries and keys": {
        "rope_scaling": YarnScaling(factor=4.0, original_context=32, attention_factor=1.3)
    },
    "normalised queries and keys": {"qk_norm": "head", "num_kv_heads": 2},
    "normalised queries and keys, all heads at once": {"qk_norm": "width", "num_kv_heads": 2},
    "layernorm without bias, of queries and keys too": {
        "norm": "layernorm",
        "norm_bias": False,
        "qk_norm": "head",
    },
    "norm weights that are differences from one": {"norm_unit_offset": True, "qk_norm": "head"},
    "norms behind": {"block_norms": "after"},
    "norms around, scaled": {"block_norms": "around", "residual_scale": 0.3},
    "parallel": {"residual": "parallel", "norm": "layernorm"},
    "parallel with one norm": {"residual": "parallel_shared_norm", "head_bias": True},
    "part of each head turned": {"rotary_dim": 16, "head_dim": 32},
    "a part that the fused operator refuses": {"rotary_dim": 6},
    "a layer without positions": {"rope_free_layers": (1,)},
    "positions of windows apart": {
        "sliding_window": 5,
        "full_attention_layers": (0,),
        "sliding_rope_theta": 100.0,
    },
    "factors": {"embedding_scale": 6.9, "logit_divisor": 8.0, "attention_scale": 0.11},
    "capped": {"attention_softcap": 0.8, "logit_softcap": 3.0},
    "tied with a bias": {"tied_embeddings": True, "head_bias": True},
    "sliding window": {"sliding_window": 5},
    "sliding window in some layers": {"sliding_window": 5, "full_attention_layers": (0,)},
    "biases": {"qkv_bias": True, "attention_output_bias": True, "mlp_bias": True},
    "qkv bias only": {"qkv_bias": True},
    "scaled by layer": {"scale_by_layer": True},
    "head width that the fused operator refuses": {"head_dim": 12},
}


@pytest.fixture(params=POINTS.values(), ids=POINTS.keys())
def gpt(request: pytest.FixtureRequest) -> GPT:
    return random_gpt(replace(BASE, **request.param))


def _ids(gpt: GPT, count: int) -> list[int]:
    return np.random.default_rng(count).integers(0, gpt.config.vocab_size, count).tolist()


def _reference(gpt: GPT, ids: list[int]) -> Any:
    with torch.inference_mode():
        return gpt(torch.tensor([ids]))[0].numpy()


@pytest.mark.parametrize("variant", VARIANTS)
def test_logits_equal_the_modules(gpt: GPT, variant: Variant, tmp_path: Path) -> None:
    if variant == "fast" and FastAttention.obstacle(gpt.config):
        pytest.skip("the export falls back to the portable variant")
    session = open_session(write_graph(gpt, tmp_path, variant), providers=[CPU], threads=1)
    decoder = Decoder(session, gpt.config, "cpu")
    ids = _ids(gpt, 40)
    parts = [decoder.run(part, len(part)) for part in (ids[:17], ids[17:18], ids[18:])]
    wanted = _reference(gpt, ids)
    assert np.abs(np.concatenate(parts) - wanted).max() <= 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_standard_operators_unless_fast(gpt: GPT, variant: Variant, tmp_path: Path) -> None:
    model = onnx.load(write_graph(gpt, tmp_path, variant), load_external_data=False)
    domains = {node.domain for node in model.graph.node}
    assert domains == ({""} if variant == "portable" else {"", "com.microsoft"})
    assert {opset.domain for opset in model.opset_import} == domains
    assert all(node.op_type in OPERATORS[node.domain] for node in model.graph.node)
    onnx.checker.check_model(tmp_path / "model.onnx", full_check=variant == "portable")


def test_a_tied_embedding_is_stored_once(tmp_path: Path) -> None:
    sizes = {}
    for tied in (True, False):
        gpt = random_gpt(replace(BASE, tied_embeddings=tied))
        folder = tmp_path / str(tied)
        write_graph(gpt, folder, "portable")
        sizes[tied] = (folder / "model.onnx.data").stat().st_size
    assert sizes[False] - sizes[True] >= BASE.vocab_size * BASE.hidden_size * 4


def test_the_familys_name_changes_nothing_but_the_name(tmp_path: Path) -> None:
    graphs = []
    for name in ("gpt2", "llama"):
        gpt = random_gpt(replace(BASE, architecture=name))
        model = onnx.load(write_graph(gpt, tmp_path / name, "portable"), load_external_data=False)
        assert model.graph.name == name
        model.graph.name = ""
        graphs.append(model)
    assert graphs[0] == graphs[1]
    assert (tmp_path / "gpt2/model.onnx.data").read_bytes() == (
        tmp_path / "llama/model.onnx.data"
    ).read_bytes()
