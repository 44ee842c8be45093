"""Which GGUF file a path stands for, and which of them are refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

import gptdesk
from gptdesk.checkpoints.catalogue import list_models
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.errors import CheckpointError, GptDeskError
from tests.helpers import checkpoints, gguf_files
from tests.helpers.damage import refused
from tests.helpers.gguf_tokenizers import finish

IDS = [5, 77, 301, 8]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write_llama(tmp_path_factory.mktemp("gguf") / "original")


@pytest.fixture
def model(original: Path, tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return gguf_files.write_gguf(original, tmp_path / "models" / "small-q8.gguf", "F16")


def split(original: Path, place: Path, count: int) -> list[Path]:
    """The model as several files, as llama.cpp's gguf-split makes them."""
    place.mkdir()
    whole = gguf_files.write_gguf(original, place / "whole.gguf")
    tensors = gguf.GGUFReader(whole).tensors
    per_file = -(-len(tensors) // count)
    paths = []
    for number in range(count):
        part = tensors[number * per_file : (number + 1) * per_file]
        path = place / f"big-{number + 1:05}-of-{count:05}.gguf"
        keys = {"split.no": number, "split.count": count, "split.tensors.count": len(tensors)}
        if number == 0:
            names = [tensor.name for tensor in part]
            gguf_files.write_gguf(original, path, metadata=keys, only=names)
        else:
            writer = gguf.GGUFWriter(path, "llama")
            for key, value in keys.items():
                writer.add_uint16(key, value)
            for tensor in part:
                writer.add_tensor(tensor.name, np.array(tensor.data))
            finish(writer)
        paths.append(path)
    whole.unlink()
    return paths


def test_a_file_or_its_folder(model: Path) -> None:
    for path in (model, model.parent):
        folder = resolve_folder(path)
        assert (folder.kind, folder.path, folder.weight_files) == ("gguf", model, (model,))


def test_several_in_a_folder(model: Path) -> None:
    shutil.copy(model, model.with_name("small-q4.gguf"))
    message = refused(model.parent)
    assert "small-q4.gguf, small-q8.gguf" in message
    assert resolve_folder(model).path == model


def test_beside_other_files(model: Path, original: Path) -> None:
    """A projector for images is no second model; the original's configuration is not asked."""
    shutil.copy(model, model.with_name("mmproj-small.gguf"))
    (model.parent / "config.json").write_text('{"model_type": "martian"}')
    assert resolve_folder(model.parent).path == model
    shutil.copytree(original, model.parent, dirs_exist_ok=True)
    assert resolve_folder(model.parent).kind == "huggingface"
    assert resolve_folder(model).kind == "gguf"


def test_a_link_into_the_download_cache(model: Path, tmp_path: Path) -> None:
    home = tmp_path / "models--someone--small"
    (home / "snapshots" / "abc").mkdir(parents=True)
    (home / "blobs").mkdir()
    shutil.move(model, home / "blobs" / "0123")
    link = home / "snapshots" / "abc" / "small.gguf"
    link.symlink_to(Path("../../blobs/0123"))
    assert resolve_folder(link).path == link
    assert resolve_folder(link.parent).path == link


def test_a_link_to_elsewhere(model: Path, tmp_path: Path) -> None:
    (tmp_path / "trap").mkdir()
    link = tmp_path / "trap" / "small.gguf"
    link.symlink_to(model)
    assert "outside" in refused(link)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.gguf")
    assert "regular" in refused(tmp_path / "model.gguf")
    assert "regular" in refused(tmp_path)


def test_split_over_files(original: Path, tmp_path: Path) -> None:
    parts = split(original, tmp_path / "parts", 3)
    loaded = [gptdesk.load(path) for path in (tmp_path / "parts", parts[0], parts[2])]
    expected = gptdesk.load(original).logits(IDS)
    for model in loaded:
        np.testing.assert_allclose(model.logits(IDS), expected, rtol=1e-4, atol=1e-4)
        assert model.path == parts[0]
    info = gptdesk.inspect(parts[1])
    assert info.files == tuple(path.name for path in parts)


def test_parts_that_do_not_belong_together(original: Path, tmp_path: Path) -> None:
    parts = split(original, tmp_path / "parts", 3)
    second = parts[1].read_bytes()
    parts[1].write_bytes(parts[2].read_bytes())
    assert "part 2" in refused(parts[0])
    parts[1].write_bytes(second)
    parts[2].unlink()
    assert "big-00003-of-00003.gguf" in refused(parts[0])
    many = parts[0].with_name("big-00001-of-99999.gguf")
    parts[0].rename(many)
    assert "99999" in refused(many)


def test_in_the_catalogue(original: Path, tmp_path: Path) -> None:
    split(original, tmp_path / "parts", 2)
    gguf_files.write_gguf(original, tmp_path / "one.gguf")
    (tmp_path / "two.gguf").write_bytes(b"GGUF")
    found = {info.path.name: info for info in list_models([tmp_path])}
    assert found["big-00001-of-00002.gguf"].refusal == ""
    assert found["one.gguf"].precision == "fp32"
    assert "damaged" in found["two.gguf"].refusal
    assert "big-00002-of-00002.gguf" not in found


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"general.architecture": "mamba"}, "general.architecture = 'mamba'"),
        ({"expert_count": 8}, "llama.expert_count = 8"),
        ({"logit_scale": 0.5}, "llama.logit_scale = 0.5"),
        ({"attention.causal": False}, "llama.attention.causal = False"),
        ({"rope.dimension_sections": [8, 4, 4, 0]}, "llama.rope.dimension_sections"),
        ({"attention.value_length": 8}, "llama.attention.value_length = 8"),
        ({"rope.scaling.type": "martian", "rope.scaling.factor": 2.0}, "llama.rope.scaling.type"),
        ({"tokenizer.ggml.model": "bert"}, "tokenizer.ggml.model"),
    ],
)
def test_not_built(original: Path, tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    path = gguf_files.write_gguf(original, tmp_path / "model.gguf", metadata=changes)
    with pytest.raises(GptDeskError) as caught:
        gptdesk.inspect(path)
    assert told in caught.value.title
    assert str(path) in caught.value.title


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"block_count": None}, "no key llama.block_count"),
        ({"block_count": "3"}, "llama.block_count = '3'"),
        ({"block_count": 0}, "llama.block_count = 0"),
        ({"attention.head_count": [4, 4, 2]}, "llama.attention.head_count = [4, 4, 2]"),
        ({"attention.layer_norm_rms_epsilon": float("nan")}, "layer_norm_rms_epsilon = nan"),
        ({"block_count": 4}, "blk.3.attn_k.weight"),
        ({"embedding_length": 128}, "token_embd.weight"),
        ({"rope.dimension_count": 8}, "partial_rotary_factor"),
    ],
)
def test_keys_that_are_wrong(
    original: Path, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    path = gguf_files.write_gguf(original, tmp_path / "model.gguf", metadata=changes)
    with pytest.raises(CheckpointError) as caught:
        gptdesk.inspect(path)
    assert told in caught.value.title


@pytest.fixture(scope="module")
def stretched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rope = {"rope_type": "llama3", "rope_theta": 10_000.0, "original_max_position_embeddings": 32}
    turns = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    folder = tmp_path_factory.mktemp("stretched") / "original"
    return checkpoints.write_llama(folder, rope_parameters={**rope, **turns})


@pytest.mark.parametrize("theta", [-2.0, 0.0, 1e30])
def test_a_base_that_is_wrong_beside_factors(theta: float, stretched: Path, tmp_path: Path) -> None:
    path = gguf_files.write_gguf(
        stretched, tmp_path / "model.gguf", metadata={"rope.freq_base": theta}
    )
    assert "rope_theta" in refused(path)


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), 0.0, -1.0])
def test_factors_that_cannot_be(factor: float, stretched: Path, tmp_path: Path) -> None:
    def encode(name: str, values: Any) -> tuple[Any, gguf.GGMLQuantizationType]:
        changed = np.full_like(values, factor) if name == "rope_freqs.weight" else values
        return changed, gguf.GGMLQuantizationType.F32

    path = gguf_files.write_gguf(stretched, tmp_path / "model.gguf", encode=encode)
    assert "rope_freqs.weight" in refused(path)


def test_keys_that_change_nothing(original: Path, tmp_path: Path) -> None:
    keys = {"logit_scale": 1.0, "expert_count": 0, "attention.causal": True, "new_key": "new"}
    path = gguf_files.write_gguf(original, tmp_path / "model.gguf", metadata=keys)
    assert resolve_folder(path).config == resolve_folder(original).config


def test_the_same_number_for_every_layer(original: Path, tmp_path: Path) -> None:
    """Some converters write one for each."""
    path = gguf_files.write_gguf(
        original, tmp_path / "model.gguf", metadata={"attention.head_count_kv": [2, 2, 2]}
    )
    assert resolve_folder(path).config.num_kv_heads == 2


def test_a_part_of_a_model(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "adapter.gguf", "llama")
    writer.add_tensor("blk.0.attn_q.weight.lora_a", np.zeros((4, 4), np.float32))
    finish(writer)
    assert "token_embd.weight" in refused(tmp_path / "adapter.gguf")


def test_no_architecture(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF\3\0\0\0" + b"\0" * 16)
    assert "general.architecture" in refused(tmp_path / "a.gguf")
