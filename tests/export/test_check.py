"""The check at the end of an export tells a faithful graph from an unfaithful one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gptdesk.export.check import TOLERANCE, Comparison, compare, trace
from gptdesk.export.onnx_runtime import CPU, Decoder, open_session
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from tests.export.graphs import random_gpt, write_graph

CONFIG = ModelConfig(
    architecture="llama",
    vocab_size=50,
    context_length=64,
    num_layers=2,
    hidden_size=32,
    num_heads=2,
    num_kv_heads=1,
    head_dim=16,
    intermediate_size=40,
)


def _compare(exported: GPT, source: GPT, folder: Path) -> Comparison:
    session = open_session(write_graph(exported, folder, "fast"), providers=[CPU], threads=1)
    return compare(Decoder(session, source.config, "cpu"), trace(source, None), None)


def test_a_faithful_graph_passes(tmp_path: Path) -> None:
    gpt = random_gpt(CONFIG)
    comparison = _compare(gpt, gpt, tmp_path)
    assert comparison.greedy_equal
    assert comparison.max_difference < TOLERANCE / 10


def test_one_wrong_weight_is_seen(tmp_path: Path) -> None:
    source, exported = random_gpt(CONFIG), random_gpt(CONFIG)
    with torch.no_grad():
        exported.model.layers[1].mlp.down_proj.weight[3, 5] += 0.5
    assert _compare(exported, source, tmp_path).max_difference > TOLERANCE


def test_a_scale_that_only_one_layer_has_wrong_is_seen(tmp_path: Path) -> None:
    source = random_gpt(replace(CONFIG, scale_by_layer=True))
    assert _compare(random_gpt(CONFIG), source, tmp_path).max_difference > TOLERANCE


def test_weights_that_are_no_numbers_compare_equal_to_themselves(tmp_path: Path) -> None:
    gpt = random_gpt(CONFIG)
    with torch.no_grad():
        gpt.model.norm.weight[0] = float("nan")
    assert _compare(gpt, gpt, tmp_path).max_difference == 0


@pytest.mark.parametrize("context_length", [1, 2, 3, 30])
def test_the_prompt_fits_a_small_context(context_length: int) -> None:
    reference = trace(random_gpt(replace(CONFIG, context_length=context_length)), None)
    assert sum(len(ids) for ids in reference.fed) <= context_length
    assert [len(logits) for logits in reference.logits] == [len(ids) for ids in reference.fed]
