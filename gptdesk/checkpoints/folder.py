"""From a path that a person chose to a model folder that is worth loading.

Everything is refused here that can be refused by names, sizes and config.json alone; nothing is
executed, no weight is read and no torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gptdesk.checkpoints.download_cache import main_snapshot
from gptdesk.checkpoints.families import read_config
from gptdesk.checkpoints.families.base import CONFIG_NAME, shown
from gptdesk.checkpoints.files import checked_file, is_there, read_json
from gptdesk.checkpoints.foreign import refuse_foreign_file, refuse_foreign_folder
from gptdesk.checkpoints.gguf_config import read_gguf_config
from gptdesk.checkpoints.gguf_folder import find_gguf, gguf_parts, read_gguf
from gptdesk.checkpoints.gguf_vocabulary import check_vocabulary
from gptdesk.checkpoints.training_checkpoint import find_checkpoint, read_model_args
from gptdesk.checkpoints.weight_files import WeightFormat, checked_path, find_weights
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.config import ModelConfig
from gptdesk.text.chat_template_files import template_paths

ONNX_FILE = "model.onnx"
ONNX_DATA_FILE = "model.onnx.data"
ONNX_KEY = "gptdesk_onnx"
ONNX_FORMAT_VERSION = 1

_AUTO_MAP_IGNORED = (
    "config.json names Python code that came with the model (auto_map). It was not run: gptdesk "
    "computes models of this type by itself."
)

COMPANIONS = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "spiece.model",
    "vocab.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "chat_template.jinja",
    "chat_template.json",
    "gptdesk.json",
    "meta.pkl",
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
    weights: WeightFormat = "safetensors"

    @property
    def path(self) -> Path:
        """What to open to have this model again: its folder, or its file where it is but one."""
        return self.weight_files[0] if self.kind in ("gguf", "training") else self.root

    @property
    def companions(self) -> tuple[str, ...]:
        """Names, from the root on, of the files that belong to the model beside its weights."""
        return _companions(self.root) if self.kind != "gguf" else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What config.json asks for and does not get, though the model runs without."""
        return (_AUTO_MAP_IGNORED,) if self.config_data.get("auto_map") else ()


def resolve_folder(path: str | Path) -> ModelFolder:
    """Find the model that `path`, a folder or a file in it, stands for.

    Raises:
        CheckpointError: nothing there, incomplete, damaged, or leading outside the folder.
        UnsupportedModelError: a format, a type of model or a quantization that is not built.
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
    gguf = find_gguf(root, chosen)
    if gguf is not None:
        return _read_gguf(gguf)
    if not is_there(root / CONFIG_NAME):
        checkpoint = find_checkpoint(root, chosen)
        if checkpoint is not None:
            return _read_checkpoint(checkpoint)
        refuse_foreign_folder(root, chosen)
    data = read_json(root, CONFIG_NAME)
    source = f"{CONFIG_NAME} in {root}"
    _refuse_quantized(data, source)
    config = read_config(data, source)
    _check_companions(root)
    if ONNX_KEY in data:
        config = config.for_plain_context()  # for which alone the graph holds angles
        return ModelFolder(root, "onnx", data, config, _onnx_files(root, data, source), "onnx")
    weights, files = find_weights(root, chosen)
    return ModelFolder(root, "huggingface", data, config, files, weights)


def _read_checkpoint(path: Path) -> ModelFolder:
    data = read_model_args(path)
    _check_companions(path.parent)
    config = read_config(data, f"model_args in {path}")
    return ModelFolder(path.parent, "training", data, config, (path,), "pickle")


def _read_gguf(first: Path) -> ModelFolder:
    parts = gguf_parts(first)
    header = read_gguf(parts)
    data = read_gguf_config(header)
    check_vocabulary(header)
    return ModelFolder(first.parent, "gguf", data, read_config(data, str(first)), parts, "gguf")


def _check_companions(root: Path) -> None:
    """The tokenizer opens them by itself, later; a FIFO among them would block it for ever."""
    for name in _companions(root):
        checked_file(root, name)


def _companions(root: Path) -> tuple[str, ...]:
    templates = (path.relative_to(root).as_posix() for path in template_paths(root))
    names = (*COMPANIONS, *templates)
    return tuple(name for name in names if is_there(root / name))


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
        # A person who looks for a download finds the folder with its name, two levels above.
        return main_snapshot(place) or place, ""
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
    files = [checked_path(root, ONNX_FILE)]
    if is_there(root / ONNX_DATA_FILE):
        files.append(checked_path(root, ONNX_DATA_FILE))
    return tuple(files)
