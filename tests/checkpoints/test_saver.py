"""What is saved, the reference library loads back to the same logits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gptdesk.checkpoints import saver
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.errors import CheckpointError
from gptdesk.export.onnx_export import export_onnx
from gptdesk.text.chat_template_files import TEMPLATE_FOLDER
from tests.helpers import checkpoints

IDS = torch.tensor([[3 + 37 * i % 790 for i in range(60)]])
NAMES = ["tiny_gpt2_dir", "tiny_llama_dir", "tiny_llama_tied_dir", "tiny_llama_sharded_dir"]


@pytest.fixture(params=NAMES)
def source(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def logits(folder: Path) -> np.ndarray:
    with torch.no_grad():
        result: np.ndarray = checkpoints.load_reference(folder)(IDS).logits.numpy()
    return result


@pytest.mark.parametrize("shard_bytes", [saver.SHARD_BYTES, 100_000])
def test_the_reference_computes_the_same(source: Path, tmp_path: Path, shard_bytes: int) -> None:
    gpt, _ = load_gpt(resolve_folder(source))
    save_gpt(gpt, source, tmp_path / "saved", shard_bytes)
    assert np.array_equal(logits(tmp_path / "saved"), logits(source))
    assert (tmp_path / "saved" / "tokenizer.json").read_bytes() == (
        source / "tokenizer.json"
    ).read_bytes()
    assert (len(list((tmp_path / "saved").glob("*.safetensors"))) > 1) == (shard_bytes == 100_000)


def test_we_load_back_the_same_bits(source: Path, tmp_path: Path) -> None:
    gpt, _ = load_gpt(resolve_folder(source))
    save_gpt(gpt, source, tmp_path / "saved")
    again, warnings = load_gpt(resolve_folder(tmp_path / "saved"))
    assert warnings == []
    assert again.config == gpt.config
    before = gpt.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in again.state_dict().items())


def test_templates_in_a_folder_of_their_own_go_along(tiny_llama_dir: Path, tmp_path: Path) -> None:
    source = Path(shutil.copytree(tiny_llama_dir, tmp_path / "source"))
    (source / TEMPLATE_FOLDER).mkdir()
    (source / TEMPLATE_FOLDER / "tool_use.jinja").write_text("tools!", "utf-8")
    gpt, _ = load_gpt(resolve_folder(source))
    save_gpt(gpt, source, tmp_path / "saved")
    export_onnx(source, tmp_path / "exported")
    for copy in (tmp_path / "saved", tmp_path / "exported"):
        assert (copy / TEMPLATE_FOLDER / "tool_use.jinja").read_text("utf-8") == "tools!"
        assert f"{TEMPLATE_FOLDER}/tool_use.jinja" in inspect_model(copy).files


def test_a_shape_that_changed_is_written(tiny_llama_dir: Path, tmp_path: Path) -> None:
    """The file is believed over its config.json, so what is saved must say what the file said."""
    source = checkpoints.write_llama(tmp_path / "source")
    data = json.loads((source / "config.json").read_text("utf-8"))
    (source / "config.json").write_text(json.dumps(data | {"tie_word_embeddings": True}), "utf-8")
    gpt, _ = load_gpt(resolve_folder(source))
    save_gpt(gpt, source, tmp_path / "saved")
    assert np.array_equal(logits(tmp_path / "saved"), logits(tiny_llama_dir))


def test_the_precision_is_kept(tiny_llama_dir: Path, tmp_path: Path) -> None:
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir), dtype=torch.bfloat16)
    save_gpt(gpt, tiny_llama_dir, tmp_path / "saved")
    info = inspect_model(tmp_path / "saved")
    assert info.precision == "bf16"
    assert info.warnings == ()


def test_weights_may_be_read_by_whoever_may_read_the_config(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))
    save_gpt(gpt, tiny_llama_dir, tmp_path / "saved")
    modes = {path.stat().st_mode for path in (tmp_path / "saved").iterdir()}
    assert len(modes) == 1


def test_a_folder_with_files_is_left_alone(tiny_llama_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))
    with pytest.raises(CheckpointError, match="already holds"):
        save_gpt(gpt, tiny_llama_dir, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_failing_disk_leaves_nothing(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saver, "_write_json", full)
    with pytest.raises(CheckpointError, match="cannot be written") as caught:
        save_gpt(gpt, tiny_llama_dir, tmp_path / "saved")
    assert "No space" in caught.value.details
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="limits as POSIX has them")
def test_a_disk_that_fills_up_amid_the_weights(tiny_llama_dir: Path, tmp_path: Path) -> None:
    """In a process of its own: safetensors writes by itself, and the limit holds for good."""
    code = (
        "import resource, signal, sys, gptdesk\n"
        "model = gptdesk.load(sys.argv[1], device='cpu')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try: gptdesk.save(model, sys.argv[2])\n"
        "except gptdesk.GptDeskError as error: print(error.title)"
    )
    out = tmp_path / "saved"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_llama_dir), str(out)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"cannot be written to {out}" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a\0b", "file/model"])
def test_places_where_no_folder_can_be(tiny_llama_dir: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("dear")
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))
    with pytest.raises(CheckpointError, match="cannot be written"):
        save_gpt(gpt, tiny_llama_dir, tmp_path / name)
