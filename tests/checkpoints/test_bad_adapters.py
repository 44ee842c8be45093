"""Adapters that are broken, hostile or not meant for this model: each is refused in words, quickly."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gptdesk.checkpoints.adapter import load_adapter
from gptdesk.checkpoints.adapter_folder import (
    AdapterPlan,
    is_adapter,
    plan_adapter,
    resolve_adapter,
)
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.errors import CheckpointError, EngineError, UnsupportedModelError
from gptdesk.model.config import ModelConfig
from gptdesk.model.lora import find_adapter
from tests.helpers import adapters

Tensors = dict[str, torch.Tensor]
Q0 = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def good(tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "good"
    return adapters.write(
        tiny_llama_dir,
        folder,
        r=4,
        target_modules=["q_proj", "down_proj"],
        modules_to_save=["norm"],
    )


@pytest.fixture(scope="module")
def config(tiny_llama_dir: Path) -> ModelConfig:
    return resolve_folder(tiny_llama_dir).config


@pytest.fixture(scope="module")
def scratch(good: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy for property tests, which write it anew for every example."""
    return shutil.copytree(good, tmp_path_factory.mktemp("scratch") / "adapter")


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return shutil.copytree(good, tmp_path / "adapter")


def judge(folder: Path, config: ModelConfig) -> AdapterPlan:
    return plan_adapter(resolve_adapter(folder), config)


def refused(
    folder: Path, config: ModelConfig, error: type[CheckpointError] = CheckpointError
) -> str:
    with pytest.raises(error) as caught:
        judge(folder, config)
    assert type(caught.value) is error
    assert caught.value.hint
    return caught.value.title


def error_of(folder: Path, config: ModelConfig) -> CheckpointError | None:
    try:
        judge(folder, config)
    except CheckpointError as error:
        return error
    return None


def without(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: t for name, t in tensors.items() if part not in name}


def test_the_good_one_is_good(good: Path, config: ModelConfig) -> None:
    plan = judge(good, config)
    assert (len(plan.low_rank), len(plan.whole)) == (6, 7)


@given(cut=st.integers(0, 5000))
@settings(max_examples=25)
def test_a_truncated_file_is_refused(
    cut: int, good: Path, scratch: Path, config: ModelConfig
) -> None:
    data = (good / adapters.WEIGHTS).read_bytes()
    (scratch / adapters.WEIGHTS).write_bytes(data[: len(data) - 1 - cut * len(data) // 5001])
    assert "damaged" in refused(scratch, config)


@given(place=st.integers(0, 3000), bit=st.integers(0, 7))
@settings(max_examples=60)
def test_a_flipped_bit_in_the_header_is_refused_or_harmless(
    place: int, bit: int, good: Path, scratch: Path, config: ModelConfig
) -> None:
    data = bytearray((good / adapters.WEIGHTS).read_bytes())
    data[place % (8 + int.from_bytes(data[:8], "little"))] ^= 1 << bit
    (scratch / adapters.WEIGHTS).write_bytes(data)
    error = error_of(scratch, config)
    assert error is None or error.hint


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(data=st.data(), value=JSON_VALUES)
@settings(max_examples=120)
def test_any_value_of_any_key_is_judged(
    data: Any, value: Any, good: Path, scratch: Path, config: ModelConfig
) -> None:
    options = json.loads((good / adapters.CONFIG).read_text("utf-8"))
    key = data.draw(st.sampled_from([*sorted(options), "unheard_of"]))
    (scratch / adapters.CONFIG).write_text(json.dumps(options | {key: value}), "utf-8")
    shutil.copyfile(good / adapters.WEIGHTS, scratch / adapters.WEIGHTS)
    error = error_of(scratch, config)
    assert error is None or (error.hint and adapters.CONFIG in error.title)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("peft_type", "IA3"),
        ("peft_type", None),
        ("use_dora", True),
        ("bias", "all"),
        ("lora_bias", True),
        ("init_lora_weights", "pissa"),
        ("init_lora_weights", "loftq"),
        ("trainable_token_indices", [1, 2]),
        ("target_parameters", ["experts.w1"]),
        ("layer_replication", [[0, 2], [1, 3]]),
        ("alora_invocation_tokens", [5]),
        ("unheard_of", {"new": 1}),
        ("alpha_pattern", {"(a+)+$": 2}),
        ("alpha_pattern", {".*.*.*.*.*x": 2}),
        ("alpha_pattern", {"((((q": 2}),
        ("alpha_pattern", {f"q{n}": 1 for n in range(5000)}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_built_is_refused_by_name(
    key: str, value: object, folder: Path, config: ModelConfig
) -> None:
    adapters.set_options(folder, **{key: value})
    assert key in refused(folder, config, UnsupportedModelError)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("layers.0.self_attn.q_proj.lora_B"), "only one half of model.layers.0"),
        (without("layers.0.self_attn.q_proj"), "no tensors for model.layers.0.self_attn.q_proj"),
        (lambda _: {"x.weight": torch.zeros(2)}, "it adapts x.weight"),
        (lambda t: t | {f"{Q0}.lora_A.weight": torch.zeros(4, 63)}, "has shape [4, 63]"),
        (lambda t: t | {f"{Q0}.lora_B.weight": torch.zeros(64, 5)}, "has shape [64, 5]"),
        (lambda t: t | {f"{Q0}.lora_A.weight": torch.zeros(4)}, "has shape [4]"),
        (
            lambda t: (
                t
                | {
                    f"{Q0}.lora_A.weight": torch.zeros(0, 64),
                    f"{Q0}.lora_B.weight": torch.zeros(64, 0),
                }
            ),
            "has shape [0, 64]",
        ),
        (lambda t: t | {"base_model.model.model.norm.weight": torch.zeros(65)}, "shape [65]"),
        (
            lambda t: (
                t
                | {
                    f"{Q0.replace('q_proj', 'k_proj')}.lora_{half}.weight": torch.zeros(shape)
                    for half, shape in (("A", (4, 64)), ("B", (32, 4)))
                }
            ),
            "do not name model.layers.0.self_attn.k_proj",
        ),
        (
            lambda t: {n.replace("layers.0", "layers.9"): v for n, v in t.items()},
            "it adapts model.layers.9",
        ),
    ],
)
def test_tensors_that_do_not_belong_are_named(
    change: Callable[[Tensors], Tensors], told: str, folder: Path, config: ModelConfig
) -> None:
    adapters.change_tensors(folder, change)
    assert told in refused(folder, config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (f"{Q0}.lora_magnitude_vector", torch.zeros(64)),
        (f"{Q0}.lora_B.bias", torch.zeros(64)),
        (f"{Q0}.lora_A.weight", torch.zeros(4, 64, dtype=torch.int8)),
    ],
)
def test_tensors_of_other_methods_are_named(
    name: str, value: torch.Tensor, folder: Path, config: ModelConfig
) -> None:
    adapters.change_tensors(folder, lambda tensors: tensors | {name: value})
    assert name in refused(folder, config, UnsupportedModelError)


def test_an_adapter_without_tensors(folder: Path, config: ModelConfig) -> None:
    adapters.change_tensors(folder, lambda _: {})
    assert "no tensors" in refused(folder, config)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"peft_type": ' + "[" * 100_000, "\udcff"])
def test_a_config_that_is_no_json(text: str, folder: Path, config: ModelConfig) -> None:
    (folder / adapters.CONFIG).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert "not valid JSON" in refused(folder, config)


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b", "~nobody-here/x", ""])
def test_paths_that_cannot_be(path: str) -> None:
    assert not is_adapter(path)
    with pytest.raises(CheckpointError):
        resolve_adapter(path)


def test_files_that_are_no_files(folder: Path, config: ModelConfig, tmp_path: Path) -> None:
    assert "no adapter at" in refused(folder / "nothing", config)
    assert "holds no adapter" in refused(tmp_path, config)
    weights = folder / adapters.WEIGHTS
    moved = weights.rename(tmp_path / "elsewhere.safetensors")
    assert "no file" in refused(folder, config)
    weights.symlink_to(moved)
    assert "points outside" in refused(folder, config)
    weights.unlink()
    os.mkfifo(weights)
    assert "not a regular file" in refused(folder, config)


class _Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("harm",)


def test_a_pickle_runs_nothing(
    folder: Path, config: ModelConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (folder / adapters.WEIGHTS).unlink()
    torch.save({"a": _Harm()}, folder / "adapter_model.bin")
    with pytest.raises(CheckpointError):
        judge(folder, config)
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(_Harm()))
    with pytest.raises(CheckpointError):
        judge(folder, config)
    assert not (tmp_path / "harm").exists()


def test_quantized_layers_take_no_adapter(folder: Path, tiny_llama_dir: Path) -> None:
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))
    gpt.model.layers[1].mlp.down_proj = torch.nn.Identity()
    with pytest.raises(EngineError, match="quantized"):
        load_adapter(gpt, folder)
    assert find_adapter(gpt) is None


def test_values_that_are_not_numbers_are_warned_about(folder: Path, tiny_llama_dir: Path) -> None:
    name = f"{Q0}.lora_A.weight"
    adapters.change_tensors(
        folder, lambda tensors: tensors | {name: torch.full_like(tensors[name], float("nan"))}
    )
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))
    (warning,) = load_adapter(gpt, folder)
    assert name in warning
