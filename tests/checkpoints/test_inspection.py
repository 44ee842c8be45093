"""A model's description comes from headers alone and is true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.errors import UnsupportedModelError
from gptdesk.export.onnx_export import export_onnx
from tests.helpers import checkpoints


@pytest.mark.parametrize("name", ["tiny_gpt2_dir", "tiny_llama_dir", "tiny_llama_sharded_dir"])
def test_what_it_says_is_true(name: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(name)
    info = inspect_model(folder)
    reference = checkpoints.load_reference(folder)
    assert info.path == folder
    assert info.name == folder.name
    assert info.kind == "huggingface"
    assert info.architecture == reference.config.model_type
    assert info.parameters == reference.num_parameters()
    assert info.context_length == reference.config.max_position_embeddings
    assert info.vocab_size == 800
    assert info.precision == "fp32"
    assert info.refusal == ""
    assert info.warnings == ()
    assert {"config.json", "tokenizer.json"} <= set(info.files)
    assert info.bytes_on_disk == sum((folder / file).stat().st_size for file in info.files)
    assert info.memory_bytes["fp32"] > info.memory_bytes["bf16"] > 2 * info.parameters


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_file_stands_for_its_folder(tiny_llama_dir: Path, file: str) -> None:
    assert inspect_model(tiny_llama_dir / file) == inspect_model(tiny_llama_dir)


def test_a_relative_path_and_a_string_will_do(
    tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_llama_dir.parent)
    assert inspect_model(tiny_llama_dir.name) == inspect_model(tiny_llama_dir)


def test_a_single_file_of_another_name(tiny_llama_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((tiny_llama_dir / "config.json").read_bytes())
    weights = (tiny_llama_dir / "model.safetensors").read_bytes()
    (tmp_path / "mine.safetensors").write_bytes(weights)
    info = inspect_model(tmp_path)
    assert info.files[0] == "mine.safetensors"
    assert "tokenizer.json" in info.warnings[0]


def test_the_makers_name_wins(tiny_llama_dir: Path, tmp_path: Path) -> None:
    for file in tiny_llama_dir.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    profile = {"format_version": 1, "name": "Small Writer"}
    (tmp_path / "gptdesk.json").write_text(json.dumps(profile))
    assert inspect_model(tmp_path).name == "Small Writer"


def test_the_precision_is_that_of_most_bytes(tiny_llama_dir: Path, tmp_path: Path) -> None:
    for file in tiny_llama_dir.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    halves = {
        name: value.to(torch.bfloat16) if value.ndim == 2 else value
        for name, value in tensors.items()
    }
    save_file(halves, tmp_path / "model.safetensors")
    assert inspect_model(tmp_path).precision == "bf16"


def test_it_needs_neither_torch_nor_numpy(tiny_llama_sharded_dir: Path) -> None:
    code = (
        "import sys; from gptdesk.checkpoints.inspection import inspect_model\n"
        "from gptdesk.checkpoints.catalogue import list_models\n"
        "inspect_model(sys.argv[1]); list_models()\n"
        "print({'torch', 'numpy', 'safetensors', 'onnxruntime'} & set(sys.modules))"
    )
    arguments = [sys.executable, "-c", code, str(tiny_llama_sharded_dir)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_an_export_is_described_like_its_source(tiny_llama_dir: Path, tmp_path: Path) -> None:
    export_onnx(tiny_llama_dir, tmp_path / "export")
    info = inspect_model(tmp_path / "export")
    assert (info.kind, info.architecture, info.precision) == ("onnx", "llama", "fp32")
    assert info.parameters == inspect_model(tiny_llama_dir).parameters
    assert info.files[0] == "model.onnx"
    assert inspect_model(tmp_path / "export" / "model.onnx") == info


def test_an_export_of_another_version_is_refused(tiny_llama_dir: Path, tmp_path: Path) -> None:
    export_onnx(tiny_llama_dir, tmp_path / "export")
    config = json.loads((tmp_path / "export" / "config.json").read_text("utf-8"))
    config["gptdesk_onnx"]["format_version"] = 99
    (tmp_path / "export" / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(UnsupportedModelError, match="format_version = 99"):
        inspect_model(tmp_path / "export")
