"""From a path that a person chose to a model folder that is worth loading.

Everything is refused here that can be refused by names, sizes and config.json alone; nothing is
executed, no weight is read and no torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gptdesk.checkpoints.families import read_config
from gptdesk.checkpoints.families.base import CONFIG_NAME, shown
from gptdesk.checkpoints.files import checked_file, read_json
from gptdesk.checkpoints.foreign import refuse_foreign_file, refuse_foreign_folder
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.config import ModelConfig

SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
ONNX_FILE = "model.onnx"
ONNX_DATA_FILE = "model.onnx.data"
ONNX_KEY = "gptdesk_onnx"
ONNX_FORMAT_VERSION = 1

COMPANIONS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "chat_template.jinja",
    "gptdesk.json",
)
"""Files beside config.json and the weights that belong to a model, where they exist."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model on disk that passed every check that needs no weights.

    Attributes:
        root: the folder.
        kind: "huggingface" (config.json and weights for PyTorch), "onnx" (written by gptdesk's
            export), "gguf" (one file of llama.cpp), "training" (one file of a training script).
        config_data: config.json, parsed, or what the model's file says in its place.
        config: the shape it describes.
        weight_files: safetensors, pickles, a GGUF file, or model.onnx and its data.
        weights: their format; see `weight_formats`.
    """

    root: Path
    kind: Literal["huggingface", "onnx", "gguf", "training"]
    config_data: Mapping[str, Any]
    config: ModelConfig
    weight_files: tuple[Path, ...]
    weights: Literal["safetensors", "pickle", "gguf", "onnx"] = "safetensors"


def resolve_folder(path: str | Path) -> ModelFolder:
    """Find the model that `path`, a folder or a file in it, stands for.

    Raises:
        CheckpointError: nothing there, incomplete, damaged, or leading outside the folder.
        UnsupportedModelError: a GGUF file, a pickle, a quantized model, an unknown type.
    """
    root, chosen = _locate(path)
    try:
        return _read_folder(root, chosen)
    except OSError as error:
        # Asking whether a file exists fails, too, in a folder that may not be entered.
        raise CheckpointError(
            f"{root} cannot be read.", "Choose a folder that you may read.", str(error)
        ) from error


def _read_folder(root: Path, chosen: str) -> ModelFolder:
    if not (root / CONFIG_NAME).exists():
        refuse_foreign_folder(root, chosen)
    data = read_json(root, CONFIG_NAME)
    source = f"{CONFIG_NAME} in {root}"
    _refuse_quantized(data, source)
    config = read_config(data, source)
    for name in COMPANIONS:
        # The tokenizer opens these by itself, later; a FIFO among them would block it for ever.
        if (root / name).is_symlink() or (root / name).exists():
            checked_file(root, name)
    if ONNX_KEY in data:
        return ModelFolder(root, "onnx", data, config, _onnx_files(root, data, source), "onnx")
    return ModelFolder(root, "huggingface", data, config, _safetensors_files(root, chosen))


def _locate(path: str | Path) -> tuple[Path, str]:
    """The folder, and the file in it that was chosen ("" for none)."""
    try:
        place = Path(path).expanduser().absolute()
        place.stat()
        is_folder = place.is_dir()
    except FileNotFoundError as error:
        raise CheckpointError(
            f"There is no model at {path}.", "Choose a folder that holds a model."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{str(path)[:200]!r} cannot be opened.",
            "Choose a folder that you may read.",
            str(error),
        ) from error
    if is_folder:
        return place, ""
    refuse_foreign_file(checked_file(place.parent, place.name))
    return place.parent, place.name


def _refuse_quantized(data: Mapping[str, Any], source: str) -> None:
    for key in ("quantization_config", "compression_config"):
        options = data.get(key)
        if options is None:
            continue
        method = options.get("quant_method", "unknown") if isinstance(options, dict) else options
        raise UnsupportedModelError(
            f"{source}: {key} says the weights are quantized ({shown(method)}), "
            "which gptdesk cannot read.",
            "Download the original model in float16 or bfloat16 instead; "
            "it is usually named without GPTQ, AWQ, 4bit or FP8.",
        )


def _onnx_files(root: Path, data: Mapping[str, Any], source: str) -> tuple[Path, ...]:
    options = data[ONNX_KEY]
    version = options.get("format_version") if isinstance(options, dict) else None
    if version != ONNX_FORMAT_VERSION:
        raise UnsupportedModelError(
            f"{source}: {ONNX_KEY}.format_version = {shown(version)} is not one this version reads.",
            "Export the model again with this version of gptdesk.",
        )
    files = [_checked(root, ONNX_FILE)]
    if (root / ONNX_DATA_FILE).is_symlink() or (root / ONNX_DATA_FILE).exists():
        files.append(_checked(root, ONNX_DATA_FILE))
    return tuple(files)


def _safetensors_files(root: Path, chosen: str) -> tuple[Path, ...]:
    if (root / INDEX_FILE).exists():
        return tuple(_checked(root, name) for name in _shards(root))
    if (root / SINGLE_FILE).exists():
        return (_checked(root, SINGLE_FILE),)
    if chosen.endswith(".safetensors"):
        return (_checked(root, chosen),)
    found = sorted(file.name for file in root.glob("*.safetensors"))
    if len(found) == 1:
        return (_checked(root, found[0]),)
    if len(found) > 1:
        raise CheckpointError(
            f"{root} has several safetensors files and no {INDEX_FILE} that joins them.",
            f"Download {INDEX_FILE} of this model too, or open one of the files.",
            ", ".join(found[:5]),
        )
    refuse_foreign_folder(root)
    raise CheckpointError(f"The model in {root} has no file {SINGLE_FILE}.", "Download it again.")


def _shards(root: Path) -> tuple[str, ...]:
    """Names of the files in the index, each once."""
    names = read_json(root, INDEX_FILE).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise CheckpointError(
            f"{INDEX_FILE} in {root} has no usable key weight_map.", "Download the file again."
        )
    for tensor, name in names.items():
        if not (isinstance(name, str) and name.isprintable() and name.endswith(".safetensors")):
            raise CheckpointError(
                f"{INDEX_FILE} in {root}: weight_map[{shown(tensor)}] = {shown(name)} "
                "is not the name of a safetensors file.",
                "Download the file again.",
            )
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise CheckpointError(
                f"{INDEX_FILE} in {root}: weight_map[{shown(tensor)}] = {shown(name)} "
                "points outside the model's folder.",
                "Only open models from sources you trust; this one may be trying to read other "
                "files.",
            )
    return tuple(sorted(set(names.values())))


def _checked(root: Path, name: str) -> Path:
    """The file under its own name: that of a link's target would mean nothing in a message."""
    checked_file(root, name)
    return root / name
