"""Damaged, lying and foreign weights are refused before anything is allocated."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.engines.registry import open_engine
from gptdesk.errors import CheckpointError, OutOfMemoryError, UnsupportedModelError
from tests.helpers.damage import WEIGHTS, change_tensors, refused, set_config


def test_no_weights(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    assert "safetensors" in refused(folder)


@pytest.mark.parametrize("keep", [0, 4, 8, 100, 5000, 100_000, -1])
def test_truncated_weights(folder: Path, keep: int) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[:keep])
    assert WEIGHTS in refused(folder)


def test_a_file_with_something_behind_its_end(folder: Path) -> None:
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"more")
    assert WEIGHTS in refused(folder)


@settings(max_examples=40)
@given(st.data())
def test_flipped_bits_of_the_header_never_do_anything_else(
    tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    shutil.copytree(tiny_llama_dir, folder, dirs_exist_ok=True)
    content = bytearray((folder / WEIGHTS).read_bytes())
    length = int.from_bytes(content[:8], "little")
    for position in data.draw(st.lists(st.integers(0, 8 + length), min_size=1, max_size=4)):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    (folder / WEIGHTS).write_bytes(content)
    with contextlib.suppress(CheckpointError):
        load_gpt(resolve_folder(folder))
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        {"dtype": "F32", "shape": [10**18], "data_offsets": [0, 4 * 10**18]},
        {"dtype": "Q4_0", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]},
        {"shape": [1]},
        7,
    ],
    ids=str,
)
def test_lying_headers(folder: Path, entry: Any) -> None:
    header = json.dumps({"model.norm.weight": entry}).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    assert WEIGHTS in refused(folder)


def test_missing_and_unexpected_tensors_are_listed(folder: Path) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        for layer in range(3):
            for name in ("gate", "up"):
                del tensors[f"model.layers.{layer}.mlp.{name}_proj.weight"]
        tensors["model.extra.weight"] = torch.zeros(2)

    change_tensors(folder, change)
    message = refused(folder)
    assert "model.layers.0.mlp.gate_proj.weight" in message
    assert "and 2 more" in message
    assert "model.extra.weight is not expected" in message


def test_a_tensor_of_the_wrong_shape_is_named(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors.update({"model.norm.weight": torch.ones(63)}))
    message = refused(folder)
    assert "model.norm.weight" in message
    assert "[63]" in message
    assert "[64]" in message


def test_a_config_of_another_size_is_found_before_anything_is_allocated(folder: Path) -> None:
    set_config(folder, vocab_size=4_000_000, hidden_size=64)
    assert "embed_tokens" in refused(folder)


def test_integer_weights(folder: Path) -> None:
    name = "model.layers.0.mlp.up_proj.weight"
    change_tensors(folder, lambda tensors: tensors.update({name: tensors[name].to(torch.int8)}))
    assert "I8" in refused(folder, UnsupportedModelError)


def test_weights_larger_than_the_memory_are_not_begun(tmp_path: Path) -> None:
    """A sparse file of a terabyte, whole by its header: the config allows it, the machine cannot."""
    shape = [4_000_000, 65_536]
    nbytes = 4 * shape[0] * shape[1]
    names = ["lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"]
    names += [
        "model.layers.0.input_layernorm.weight",
        "model.layers.0.post_attention_layernorm.weight",
    ]
    header, offset = {}, 0
    small = {f"model.layers.0.self_attn.{n}_proj.weight": [2, 65_536] for n in "qkv"}
    small |= {"model.layers.0.self_attn.o_proj.weight": [65_536, 2]}
    small |= {f"model.layers.0.mlp.{n}_proj.weight": [1, 65_536] for n in ("gate", "up")}
    small |= {"model.layers.0.mlp.down_proj.weight": [65_536, 1]}
    shapes = {name: shape if index < 2 else [65_536] for index, name in enumerate(names)} | small
    for name, dims in shapes.items():
        size = 4 * dims[0] * (dims[1] if len(dims) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": dims, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with (tmp_path / WEIGHTS).open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + offset)
    config = {"model_type": "llama", "vocab_size": shape[0], "hidden_size": shape[1]}
    config |= {"num_hidden_layers": 1, "num_attention_heads": 1, "head_dim": 2}
    (tmp_path / "config.json").write_text(json.dumps(config | {"intermediate_size": 1}))
    assert inspect_model(tmp_path).bytes_on_disk > 2 * nbytes
    with pytest.raises(OutOfMemoryError, match="GB"):
        open_engine(resolve_folder(tmp_path), device="cpu")


def test_damage_is_told_before_torch_is_imported(folder: Path) -> None:
    (folder / WEIGHTS).write_text("Dear reader,")
    code = (
        "import sys, gptdesk\n"
        "try: gptdesk.load(sys.argv[1])\n"
        "except gptdesk.GptDeskError as error: print(error)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], check=True, capture_output=True, text=True
    )
    assert WEIGHTS in done.stdout


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_numbers_are_a_warning(folder: Path, value: float) -> None:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["model.layers.1.mlp.up_proj.weight"][3, 5] = value

    change_tensors(folder, change)
    _, warnings = open_engine(resolve_folder(folder), device="cpu")
    assert len(warnings) == 1
    assert "model.layers.1.mlp.up_proj.weight" in warnings[0]
