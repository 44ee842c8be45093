"""Pickled checkpoints as `torch.save` writes them, and zip files that it would not write."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

PICKLE = "pytorch_model.bin"
PICKLE_INDEX = "pytorch_model.bin.index.json"


def load_folder(folder: Path) -> dict[str, torch.Tensor]:
    """The tensors of a folder of safetensors files."""
    tensors: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(path)
    return tensors


def pickled_twin(source: Path, folder: Path, shards: int = 1) -> Path:
    """Copy a safetensors checkpoint to `folder`, its weights pickled into so many files."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("model*.safetensors*"))
    tensors = load_folder(source)
    if shards == 1:
        torch.save(tensors, folder / PICKLE)
        return folder
    weight_map: dict[str, str] = {}
    names = list(tensors)
    for number in range(shards):
        file = f"pytorch_model-{number + 1:05}-of-{shards:05}.bin"
        part = names[number::shards]
        torch.save({name: tensors[name] for name in part}, folder / file)
        weight_map |= dict.fromkeys(part, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / PICKLE_INDEX).write_text(json.dumps(index), "utf-8")
    return folder


def _unchanged(_name: str, data: bytes) -> bytes:
    return data


def rewrite(
    path: Path,
    change: Callable[[str, bytes], bytes | None] = _unchanged,
    *,
    compression: int = zipfile.ZIP_STORED,
    more: Mapping[str, bytes] | None = None,
) -> None:
    """Write the zip file again, with each member as `change` returns it, None for left out."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            changed = change(name, data)
            if changed is not None:
                archive.writestr(name, changed)
        for name, data in (more or {}).items():
            archive.writestr(name, data)


def replace_description(path: Path, data: bytes) -> None:
    """Put another pickle into the place of the file's own."""
    rewrite(path, lambda name, old: data if name.endswith("data.pkl") else old)


def edit_description(path: Path, old: bytes, new: bytes) -> None:
    """Replace some bytes of the pickle, which must be there."""

    def change(name: str, data: bytes) -> bytes:
        if not name.endswith("data.pkl"):
            return data
        assert old in data
        return data.replace(old, new)

    rewrite(path, change)


def saved(path: Path, content: Any) -> Path:
    """`torch.save` with the arguments in reading order."""
    torch.save(content, path)
    return path
