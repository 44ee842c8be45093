"""Shards: missing, outside the folder, overlapping."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from tests.helpers.damage import INDEX, WEIGHTS, refused


def test_a_missing_shard(sharded: Path) -> None:
    shard = sorted(sharded.glob("*.safetensors"))[2]
    shard.unlink()
    assert shard.name in refused(sharded)


@pytest.mark.parametrize(
    ("outside", "file"),
    [
        ("../other.safetensors", INDEX),
        ("/etc/x.safetensors", INDEX),
        ("link.safetensors", "link.safetensors"),
    ],
)
def test_an_index_that_points_outside(
    sharded: Path, tmp_path: Path, outside: str, file: str
) -> None:
    shard = min(sharded.glob("*.safetensors"))
    shutil.move(shard, tmp_path / "other.safetensors")
    (sharded / "link.safetensors").symlink_to(tmp_path / "other.safetensors")
    index = json.loads((sharded / INDEX).read_text("utf-8"))
    names = index["weight_map"]
    index["weight_map"] = {k: outside if v == shard.name else v for k, v in names.items()}
    (sharded / INDEX).write_text(json.dumps(index), "utf-8")
    message = refused(sharded)
    assert "outside" in message
    assert file in message
    assert outside in message


def test_weights_behind_a_link_to_elsewhere(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder / WEIGHTS, tmp_path / "elsewhere.safetensors")
    (folder / WEIGHTS).symlink_to(tmp_path / "elsewhere.safetensors")
    assert "outside" in refused(folder)


def test_a_link_to_the_whole_folder_is_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert load_gpt(resolve_folder(tmp_path / "link"))[1] == []


def test_links_of_the_download_cache_are_followed(folder: Path, tmp_path: Path) -> None:
    repository = tmp_path / "models--owner--tiny"
    (repository / "blobs").mkdir(parents=True)
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(folder.iterdir())):
        shutil.move(file, repository / "blobs" / str(number))
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")
    assert inspect_model(snapshot).name == "owner/tiny"
    assert load_gpt(resolve_folder(snapshot))[1] == []


@pytest.mark.parametrize(
    "content", [{}, {"weight_map": []}, {"weight_map": {"a": 7}}, {"weight_map": {}}]
)
def test_an_index_that_is_none(sharded: Path, content: dict[str, Any]) -> None:
    (sharded / INDEX).write_text(json.dumps(content), "utf-8")
    assert INDEX in refused(sharded)


def test_a_whole_file_comes_before_an_index(folder: Path) -> None:
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": "gone.safetensors"}}), "utf-8")
    assert load_gpt(resolve_folder(folder))[1] == []


def test_shards_that_share_a_tensor(sharded: Path) -> None:
    first, second = sorted(sharded.glob("*.safetensors"))[:2]
    save_file(load_file(first) | load_file(second), second, {"format": "pt"})
    assert "is also in" in refused(sharded)
