"""Which files of a Hugging Face folder hold its weights, by their names alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gptdesk.checkpoints.families.base import shown
from gptdesk.checkpoints.files import checked_file, is_there, read_json
from gptdesk.checkpoints.foreign import refuse_foreign_folder
from gptdesk.errors import CheckpointError

WeightFormat = Literal["safetensors", "pickle", "gguf", "onnx"]

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt")

_NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt")
"""What `transformers` writes beside the weights while it trains."""


@dataclass(frozen=True, slots=True)
class _Naming:
    """How the files of one format are called.

    Attributes:
        single: the only file of a small model.
        index: what joins the shards of a large one.
        suffixes: of any such file.
    """

    format: WeightFormat
    single: str
    index: str
    suffixes: tuple[str, ...]


_NAMINGS = (
    _Naming("safetensors", SINGLE_FILE, INDEX_FILE, (".safetensors",)),
    _Naming("pickle", "pytorch_model.bin", "pytorch_model.bin.index.json", PICKLE_SUFFIXES),
)


def find_weights(root: Path, chosen: str = "") -> tuple[WeightFormat, tuple[Path, ...]]:
    """The format of the weights beside a config.json, and their files.

    Args:
        root: the folder.
        chosen: the file in it that the person chose, "" for none. If it holds weights, it counts,
            with the shards that belong to it; else safetensors come before pickles.

    Raises:
        CheckpointError: there are none or too many, or they lead outside the folder.
        UnsupportedModelError: they are of a format that is not read.
    """
    for naming in _NAMINGS:
        if chosen.endswith(naming.suffixes):
            return naming.format, _chosen_files(root, naming, chosen)
    candidates = ((naming.format, _files(root, naming)) for naming in _NAMINGS)
    found = next((candidate for candidate in candidates if candidate[1]), None)
    if found is None:
        refuse_foreign_folder(root)
    return found


def _chosen_files(root: Path, naming: _Naming, chosen: str) -> tuple[Path, ...]:
    if (root / naming.index).exists():
        shards = _shards(root, naming)
        if chosen in shards:
            return tuple(checked_path(root, name) for name in shards)
    return (checked_path(root, chosen),)


def _files(root: Path, naming: _Naming) -> tuple[Path, ...]:
    if is_there(root / naming.single):  # in front of an index, as for the reference library
        return (checked_path(root, naming.single),)
    if is_there(root / naming.index):
        return tuple(checked_path(root, name) for name in _shards(root, naming))
    found = weight_names(root, naming.suffixes)
    if len(found) > 1:
        raise CheckpointError(
            f"{root} has several {naming.suffixes[0]} files and no {naming.index} that joins them.",
            f"Download {naming.index} of this model too, or open one of the files.",
            ", ".join(found[:5]),
        )
    return tuple(checked_path(root, name) for name in found)


def weight_names(root: Path, suffixes: tuple[str, ...]) -> list[str]:
    """Names of the files in `root` with such a suffix that may hold weights, sorted."""
    names = (file.name for file in root.iterdir() if file.suffix in suffixes)
    return sorted(name for name in names if name not in _NO_WEIGHTS and "rng_state" not in name)


def _shards(root: Path, naming: _Naming) -> tuple[str, ...]:
    """Names of the files in the index, each once."""
    names = read_json(root, naming.index).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise CheckpointError(
            f"{naming.index} in {root} has no usable key weight_map.", "Download the file again."
        )
    for tensor, name in names.items():
        source = f"{naming.index} in {root}: weight_map[{shown(tensor)}] = {shown(name)}"
        if not (isinstance(name, str) and name.isprintable() and name.endswith(naming.suffixes)):
            raise CheckpointError(
                f"{source} is not the name of a {naming.suffixes[0]} file.",
                "Download the file again.",
            )
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise CheckpointError(
                f"{source} leads outside the model's folder.",
                "Only open models from sources you trust; this one may be trying to read other "
                "files.",
            )
    return tuple(sorted(set(names.values())))


def checked_path(root: Path, name: str) -> Path:
    """The file under its own name: that of a link's target would mean nothing in a message."""
    checked_file(root, name)
    return root / name
