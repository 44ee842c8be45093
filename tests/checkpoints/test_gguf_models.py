"""Models in GGUF files compute what `transformers` computes with the checkpoints they were made from."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch

import gptdesk
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.gguf_folder import read_gguf
from gptdesk.checkpoints.gguf_rules import gguf_family
from gptdesk.checkpoints.loader import load_gpt
from tests.helpers import checkpoints, gguf_files

TOLERANCE = 2e-4
PROMPT = [3 + 37 * i % 790 for i in range(100)]
_LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
_YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}
_GEMMA = {"head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 24}
_PHI = {"pad_token_id": 0, "sliding_window": None}
_LONGROPE = {
    "rope_type": "longrope",
    "short_factor": [1.0 + 0.1 * i for i in range(8)],
    "long_factor": [1.5 + 0.3 * i for i in range(8)],
}


def _rope(**options: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_theta": 10_000.0, **options}}


SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", {}),
    "llama": ("llama", {}),
    "llama, tied, own head width": ("llama", {"tie_word_embeddings": True, "head_dim": 32}),
    "llama with biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama 3": ("llama", _rope(**_LLAMA3, original_max_position_embeddings=32)),
    "llama 3, other turns": (
        "llama",
        {
            **_rope(**{**_LLAMA3, "low_freq_factor": 2.0}, original_max_position_embeddings=64),
            "head_dim": 32,
        },
    ),
    "llama, linear": ("llama", _rope(rope_type="linear", factor=4.0)),
    "llama, yarn": ("llama", _rope(**_YARN)),
    "mistral": ("mistral", {"sliding_window": None}),
    "qwen2": ("qwen2", {"tie_word_embeddings": True, **_rope(rope_theta=1e6)}),
    "qwen2, yarn": ("qwen2", _rope(**_YARN, attention_factor=0.8, beta_fast=8.0, beta_slow=2.0)),
    "qwen3": ("qwen3", {"head_dim": 32}),
    "qwen3 with biases": ("qwen3", {"head_dim": 32, "attention_bias": True}),
    "gemma": ("gemma", {"head_dim": 32}),
    "gemma2": ("gemma2", _GEMMA),
    "gemma3": (
        "gemma3_text",
        {
            **_GEMMA,
            "num_hidden_layers": 7,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            },
        },
    ),
    "phi3": ("phi3", {**_PHI, "sliding_window": 24}),
    "phi3, a part of each head": ("phi3", {**_PHI, **_rope(partial_rotary_factor=0.5)}),
    "phi3 for long texts": (
        "phi3",
        {**_PHI, "original_max_position_embeddings": 64, **_rope(**_LONGROPE)},
    ),
}


def reference_logits(folder: Path) -> np.ndarray:
    with torch.no_grad():
        logits: np.ndarray = (
            checkpoints.load_reference(folder)(torch.tensor([PROMPT])).logits[0].numpy()
        )
    return logits


def assert_close(ours: np.ndarray, theirs: np.ndarray, tolerance: float = TOLERANCE) -> None:
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_and_what_is_saved(shape: str, tmp_path: Path) -> None:
    model_type, changes = SHAPES[shape]
    if model_type == "gpt2":
        original = checkpoints.write_gpt2(tmp_path / "original")
    else:
        original = checkpoints.write_like_llama(tmp_path / "original", model_type, **changes)
    path = gguf_files.write_gguf(original, tmp_path / "model.gguf")
    logits = reference_logits(original)
    model = gptdesk.load(path)
    assert model.warnings == []
    assert_close(model.logits(PROMPT), logits)
    gptdesk.save(model, tmp_path / "saved")
    model.close()
    assert_close(reference_logits(tmp_path / "saved"), logits)
    assert_same_shape(path, original)
    assert_known_names(path)


def assert_same_shape(path: Path, original: Path) -> None:
    ours, theirs = resolve_folder(path).config, resolve_folder(original).config
    if theirs.architecture == "mistral":
        theirs = replace(theirs, architecture="llama")  # what the files call both
    for name in ("architecture", "num_parameters", "context_length", "norm_eps", "rope_theta"):
        assert getattr(ours, name) == getattr(theirs, name), name


def assert_known_names(path: Path) -> None:
    """Our names of tensors are among those that the package gives the architecture."""
    folder = resolve_folder(path)
    architecture = read_gguf([path]).metadata["general.architecture"]
    number = next(a for a, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    known = {
        gguf.TENSOR_NAMES[tensor].format(bid=layer)
        for tensor in gguf.MODEL_TENSORS[number]
        for layer in range(folder.config.num_layers)
    }
    rules = gguf_family(folder.config_data).sources(folder.config)
    assert {rule.theirs.rpartition(".")[0] for rule in rules} <= known


def test_a_window_makes_a_llama_a_mistral(tmp_path: Path) -> None:
    folder = checkpoints.write_like_llama(tmp_path / "original", "mistral", sliding_window=24)
    path = gguf_files.write_gguf(
        folder, tmp_path / "model.gguf", metadata={"attention.sliding_window": 24}
    )
    with contextlib.closing(gptdesk.load(path)) as model:
        assert model.config.architecture == "mistral"
        assert_close(model.logits(PROMPT), reference_logits(folder))


def test_half_precision_is_what_it_was(tmp_path: Path) -> None:
    """The one of a norm comes off before rounding."""
    folder = checkpoints.write_like_llama(tmp_path / "original", "gemma2", **_GEMMA)
    path = gguf_files.write_gguf(folder, tmp_path / "model.gguf", "BF16")
    ours, _ = load_gpt(resolve_folder(path), dtype=torch.bfloat16)
    theirs, _ = load_gpt(resolve_folder(folder), dtype=torch.bfloat16)
    for (name, value), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if value.ndim > 1:
            assert torch.equal(value, other), name
        else:
            torch.testing.assert_close(value, other, rtol=2**-7, atol=1e-6)


def test_exported_to_onnx(tmp_path: Path) -> None:
    folder = checkpoints.write_llama(tmp_path / "original")
    path = gguf_files.write_gguf(folder, tmp_path / "model.gguf")
    gptdesk.export_onnx(path, tmp_path / "onnx")
    with contextlib.closing(gptdesk.load(tmp_path / "onnx")) as model:
        assert_close(model.logits(PROMPT), reference_logits(folder))
        messages = [{"role": "user", "content": "Who keeps the lamp?"}]
        assert "<|im_start|>user" in model.tokenizer.apply_chat_template(messages)


def test_inspected(tmp_path: Path) -> None:
    folder = checkpoints.write_gpt2(tmp_path / "original")
    path = gguf_files.write_gguf(folder, tmp_path / "harbour-q8_0.gguf", "Q8_0")
    info = gptdesk.inspect(path)
    assert (info.path, info.name, info.kind) == (path, "harbour-q8_0", "gguf")
    assert (info.architecture, info.precision, info.context_length) == ("gpt2", "q8_0", 256)
    assert (info.files, info.bytes_on_disk) == ((path.name,), path.stat().st_size)
    assert info.parameters == gptdesk.inspect(folder).parameters
    assert info.refusal == ""
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == info.vocab_size
