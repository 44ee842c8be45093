"""A config.json that is wrong, hostile or ahead of this version is refused by file and key."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.errors import UnsupportedModelError
from tests.helpers.damage import refused, set_config

ORIGINAL = "original_max_position_embeddings"
LLAMA3 = {"type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}


@pytest.mark.parametrize("method", ["gptq", "awq", "bitsandbytes", "fp8", "compressed-tensors"])
def test_quantized_models_are_named(folder: Path, method: str) -> None:
    set_config(folder, quantization_config={"quant_method": method, "bits": 4})
    message = refused(folder, UnsupportedModelError)
    assert "quantization_config" in message
    assert method in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model_type", "mamba"),
        ("rope_scaling", {"type": "longrope", "factor": 2.0}),
        ("rope_scaling", {"type": ["linear"], "factor": 2.0}),
        ("rope_parameters", {"rope_type": "proportional", "rope_theta": 1e4}),
        ("rope_parameters", {"full_attention": {"rope_type": "linear", "factor": 2.0}}),
        ("rope_parameters", {"rope_type": "default", "partial_rotary_factor": 0.5}),
        ("sliding_window", 128),
        ("hidden_act", "mish"),
    ],
)
def test_what_is_not_built_is_refused_by_name(folder: Path, key: str, value: Any) -> None:
    set_config(folder, **{key: value})
    message = refused(folder, UnsupportedModelError)
    assert "config.json" in message
    assert key in message


def test_what_is_not_built_of_gpt2(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_gpt2_dir, tmp_path / "gpt2"))
    set_config(folder, add_cross_attention=True)
    assert "add_cross_attention" in refused(folder, UnsupportedModelError)


def test_a_window_that_never_fills_is_no_obstacle(folder: Path) -> None:
    set_config(folder, sliding_window=512)
    assert inspect_model(folder).context_length == 512


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vocab_size", 10**12),
        ("vocab_size", 0),
        ("vocab_size", "800"),
        ("vocab_size", None),
        ("hidden_size", 10**9),
        ("hidden_size", True),
        ("num_hidden_layers", 10**9),
        ("num_attention_heads", 0),
        ("num_attention_heads", 3),
        ("num_key_value_heads", 3),
        ("head_dim", 7),
        ("head_dim", -16),
        ("intermediate_size", [1]),
        ("max_position_embeddings", 2**60),
        ("rms_norm_eps", float("nan")),
        ("rms_norm_eps", 10**400),
        ("rope_parameters", {"rope_type": "default", "rope_theta": float("inf")}),
        ("rope_parameters", [1]),
        ("tie_word_embeddings", "yes"),
    ],
    ids=str,
)
def test_values_that_cannot_be_right(folder: Path, key: str, value: Any) -> None:
    if key == "num_attention_heads":
        set_config(folder, head_dim=None)
    set_config(folder, **{key: value})
    message = refused(folder)
    assert "config.json" in message
    assert (
        "rope_theta" if key == "rope_parameters" and isinstance(value, dict) else key
    ) in message


@pytest.mark.parametrize(
    ("named", "options"),
    [
        ("factor", {"type": "linear"}),
        ("factor", {"type": "linear", "factor": "2"}),
        ("factor", {"type": "linear", "factor": 0}),
        ("factor", {"type": "dynamic", "factor": -1.0}),
        ("factor", {"type": "yarn", "factor": 1e12}),
        (ORIGINAL, {"type": "yarn", "factor": 2, ORIGINAL: 0}),
        ("beta_fast", {"type": "yarn", "factor": 2, "beta_fast": -32}),
        ("rope_theta", {"type": "yarn", "factor": 2, "rope_theta": 1}),
        ("low_freq_factor", {"type": "llama3", "factor": 8}),
        ("high_freq_factor", {**LLAMA3, "high_freq_factor": 1}),
        ("low_freq_factor", {**LLAMA3, "low_freq_factor": 0}),
    ],
    ids=str,
)
def test_positions_stretched_by_what_cannot_be(
    folder: Path, named: str, options: dict[str, Any]
) -> None:
    set_config(folder, rope_scaling=options)
    message = refused(folder)
    assert "config.json" in message
    assert named in message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b"{}",
    ],
    ids=lambda content: repr(content[:8]),
)
def test_a_config_that_is_no_config(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    assert "config.json" in refused(folder)


def test_a_giant_config_is_not_parsed(folder: Path) -> None:
    with (folder / "config.json").open("ab") as file:
        file.truncate(10**9)
    assert "config.json" in refused(folder)
