"""Every shape of every family computes what `transformers` computes from the same folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.engines.torch_engine import TorchEngine, open_torch
from gptdesk.session import load_model
from tests.helpers import checkpoints

TOLERANCE = 2e-4
IDS = [3 + 37 * i % 790 for i in range(120)]

GPT2_SHAPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "untied": {"tie_word_embeddings": False},
    "own inner width": {"n_inner": 100},
    "exact gelu": {"activation_function": "gelu"},
    "relu": {"activation_function": "relu"},
    "tanh gelu of torch": {"activation_function": "gelu_pytorch_tanh"},
    "silu": {"activation_function": "silu"},
    "scaled by layer": {"scale_attn_by_inverse_layer_idx": True},
    "upcast attention": {"reorder_and_upcast_attn": True},
    "unscaled": {"scale_attn_weights": False},
    "unscaled by width, scaled by layer": {
        "scale_attn_weights": False,
        "scale_attn_by_inverse_layer_idx": True,
    },
    "other epsilon": {"layer_norm_epsilon": 0.01},
    "one head": {"n_head": 1},
    "sharded": {"max_shard_size": "100KB"},
}

LLAMA_SHAPES: dict[str, dict[str, Any]] = {
    "grouped queries": {},
    "tied": {"tied": True},
    "one key-value head": {"num_key_value_heads": 1},
    "no groups": {"num_key_value_heads": 4},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "own head width": {"head_dim": 24},
    "own rotary base": {"rope_parameters": {"rope_type": "default", "rope_theta": 500_000.0}},
    "gelu": {"hidden_act": "gelu"},
    "other epsilon": {"rms_norm_eps": 0.01},
    "sharded": {"max_shard_size": "100KB"},
}


def reference_logits(folder: Path, ids: list[int] = IDS) -> np.ndarray:
    with torch.no_grad():
        logits: np.ndarray = (
            checkpoints.load_reference(folder)(torch.tensor([ids])).logits[0].numpy()
        )
    return logits


def our_logits(folder: Path, ids: list[int] = IDS, dtype: str = "fp32") -> np.ndarray:
    engine, warnings = open_torch(resolve_folder(folder), device="cpu", dtype=dtype)
    assert warnings == []
    return engine.extend(ids, last=len(ids))


def assert_equal(folder: Path) -> None:
    ours, theirs = our_logits(folder), reference_logits(folder)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= TOLERANCE * np.abs(theirs).max()


def edit_config(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "config.json"
    data = json.loads(path.read_text("utf-8"))
    change(data)
    path.write_text(json.dumps(data), "utf-8")


@pytest.mark.parametrize("changes", GPT2_SHAPES.values(), ids=GPT2_SHAPES)
def test_logits_of_gpt2(changes: dict[str, Any], tmp_path: Path) -> None:
    assert_equal(checkpoints.write_gpt2(tmp_path / "model", **changes))


@pytest.mark.parametrize("changes", LLAMA_SHAPES.values(), ids=LLAMA_SHAPES)
def test_logits_of_llama(changes: dict[str, Any], tmp_path: Path) -> None:
    assert_equal(checkpoints.write_llama(tmp_path / "model", **changes))


@pytest.mark.parametrize("scaling", [None, {"type": "default"}, {"rope_type": "default"}])
def test_rotary_settings_of_older_files(scaling: dict[str, str] | None, tmp_path: Path) -> None:
    theta = {"rope_type": "default", "rope_theta": 200_000.0}
    folder = checkpoints.write_llama(tmp_path / "model", rope_parameters=theta)
    before = our_logits(folder)

    def age(data: dict[str, Any]) -> None:
        del data["rope_parameters"]
        data.update(rope_theta=200_000.0, rope_scaling=scaling)

    edit_config(folder, age)
    assert np.array_equal(our_logits(folder), before)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("write", [checkpoints.write_gpt2, checkpoints.write_llama])
def test_files_in_other_precisions(
    write: Callable[[Path], Path], dtype: torch.dtype, tmp_path: Path
) -> None:
    folder = write(tmp_path / "model")
    weights = folder / "model.safetensors"
    stored = {name: value.to(dtype) for name, value in load_file(weights).items()}
    save_file(stored, weights, {"format": "pt"})
    assert_equal(folder)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_near(tiny_llama_dir: Path, precision: str) -> None:
    ours, theirs = our_logits(tiny_llama_dir, dtype=precision), reference_logits(tiny_llama_dir)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() <= 0.1 * np.abs(theirs).max()


def test_the_original_names_and_buffers_of_gpt2(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    """Files of 2019 lack the prefix and hold each layer's causal mask, under the name of a bias."""
    folder = copy(tiny_gpt2_dir, tmp_path)
    stored = load_file(folder / "model.safetensors")
    old = {name.removeprefix("transformer."): value for name, value in stored.items()}
    for layer in range(3):
        old[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 256, 256).tril()
        old[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(old, folder / "model.safetensors", {"format": "pt"})
    assert np.array_equal(our_logits(folder), our_logits(tiny_gpt2_dir))


def test_stored_rotary_buffers_of_llama_are_ignored(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = copy(tiny_llama_dir, tmp_path)
    stored = load_file(folder / "model.safetensors")
    stored["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.rand(8)
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    assert np.array_equal(our_logits(folder), our_logits(tiny_llama_dir))


def test_a_tied_file_may_hold_the_head_instead_of_the_embedding(
    tiny_llama_tied_dir: Path, tmp_path: Path
) -> None:
    """The library's save_model keeps the first name of a shared tensor, which is lm_head."""
    folder = copy(tiny_llama_tied_dir, tmp_path)
    stored = load_file(folder / "model.safetensors")
    stored["lm_head.weight"] = stored.pop("model.embed_tokens.weight")
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    assert np.array_equal(our_logits(folder), our_logits(tiny_llama_tied_dir))


def test_a_tied_file_may_hold_both(tiny_llama_tied_dir: Path, tmp_path: Path) -> None:
    folder = copy(tiny_llama_tied_dir, tmp_path)
    stored = load_file(folder / "model.safetensors")
    stored["lm_head.weight"] = stored["model.embed_tokens.weight"].clone()
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    gpt, warnings = load_gpt(resolve_folder(folder))
    assert warnings == []
    assert gpt.lm_head.weight is gpt.model.embed_tokens.weight


def test_two_different_matrices_are_believed_over_the_config(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    folder = copy(tiny_llama_dir, tmp_path)
    edit_config(folder, lambda data: data.update(tie_word_embeddings=True))
    model = load_model(folder, device="cpu")
    assert "two different" in model.warnings[0]
    assert not model.config.tied_embeddings
    assert np.array_equal(model.logits(IDS), our_logits(tiny_llama_dir))
    model.close()


def test_a_window_of_one_token(tmp_path: Path) -> None:
    """Decoding with a cache, the reference does not keep to it; reading a whole text, it does."""
    folder = checkpoints.write_like_llama(tmp_path / "model", "mistral", sliding_window=1)
    assert_equal(folder)
    engine, _ = open_torch(resolve_folder(folder), device="cpu")
    one_by_one = np.concatenate([engine.extend([token]) for token in IDS])
    assert np.abs(one_by_one - our_logits(folder)).max() < 1e-4


@pytest.mark.parametrize("name", ["tiny_gpt2_dir", "tiny_llama_dir", "tiny_llama_tied_dir"])
def test_greedy_text(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompt: list[int] = tokenizer.encode("The lighthouse keeper wrote").ids
    reference = checkpoints.load_reference(folder)
    ids = torch.tensor([prompt])
    with torch.no_grad():
        theirs = reference.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=200, do_sample=False
        )
    engine, _ = open_torch(resolve_folder(folder), device="cpu")
    assert tokenizer.decode(greedy(engine, prompt, 200)) == tokenizer.decode(theirs[0].tolist())


def greedy(engine: TorchEngine, prompt: list[int], count: int) -> list[int]:
    ids = list(prompt)
    logits = engine.extend(ids)
    for _ in range(count):
        ids.append(int(logits[-1].argmax()))
        logits = engine.extend(ids[-1:])
    return ids


def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))
