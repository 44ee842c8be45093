"""Describing a model from its headers: milliseconds, no weights, no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gptdesk.checkpoints.download_cache import repository_name
from gptdesk.checkpoints.experimental import KEY, Experimental, parse_experimental
from gptdesk.checkpoints.families.base import CONFIG_NAME
from gptdesk.checkpoints.files import read_json
from gptdesk.checkpoints.folder import ONNX_KEY, ModelFolder, resolve_folder
from gptdesk.checkpoints.info import ModelInfo
from gptdesk.checkpoints.plan import plan_folder
from gptdesk.errors import CheckpointError
from gptdesk.model.config import ModelConfig

_PRECISIONS = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "F64": "fp64"}
_ITEM_BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
_TOKENIZERS = (
    {"tokenizer.json"},
    {"vocab.json", "merges.txt"},
    {"tokenizer.model"},
    {"spiece.model"},
    {"vocab.txt"},
    {"meta.pkl"},
)
_TYPICAL_CONTEXT = 2048
_ENGINE_BYTES = (
    264 << 20
)  # Python, the libraries of an engine and their working memory, without a window


def inspect_model(path: str | Path) -> ModelInfo:
    """Describe the model in a folder, or the one that a file belongs to.

    Raises:
        CheckpointError: it is missing, broken or hostile; headers and shapes are checked, weights
            are not read.
        UnsupportedModelError: it is of a kind that gptdesk does not run.
    """
    folder = resolve_folder(path)
    precision = _precision(folder)
    in_one_file = folder.kind == "gguf"
    has_config = not in_one_file and (folder.root / CONFIG_NAME).exists()
    present = [*([CONFIG_NAME] if has_config else []), *folder.companions]
    weights = [path.relative_to(folder.root).as_posix() for path in folder.weight_files]
    sizes = [(folder.root / name).stat().st_size for name in (*weights, *present)]
    config = folder.config
    declared = {} if in_one_file else _declared(folder.root)
    return ModelInfo(
        path=folder.path,
        name=model_name(folder.path) if in_one_file else _folder_name(folder.root, declared),
        kind=folder.kind,
        architecture=config.architecture,
        parameters=config.num_parameters,
        context_length=config.context_length,
        vocab_size=config.vocab_size,
        precision=precision,
        files=(*weights, *present),
        bytes_on_disk=sum(sizes),
        memory_bytes={
            name: estimated_bytes(config, name)
            for name in ([precision] if folder.kind == "onnx" else _ITEM_BYTES)
        },
        languages=_languages(declared),
        experimental=_experimental(declared),
        warnings=(*folder.warnings, *_tokenizer_warnings(folder, present)),
    )


def model_name(root: Path) -> str:
    """What to call the model at `root`: its own name, or its folder's or file's."""
    return root.stem if root.is_file() else _folder_name(root, _declared(root))


def typical_context(context_length: int) -> int:
    """Tokens that estimates of memory assume in the KV cache of a model with this context."""
    return min(context_length, _TYPICAL_CONTEXT)


def estimated_bytes(config: ModelConfig, precision: str) -> int:
    """What running a model takes: weights, a KV cache of an ordinary length, the engine itself."""
    tokens = typical_context(config.context_length)
    numbers = config.num_parameters + config.kv_bytes_per_token // 4 * tokens
    return numbers * _ITEM_BYTES.get(precision, 4) + _ENGINE_BYTES


def _folder_name(root: Path, declared: Mapping[str, Any]) -> str:
    name = declared.get("name")
    if isinstance(name, str) and name.strip():
        return name.strip()[:100]
    home = root.resolve()
    return repository_name(home) or home.name


def _declared(root: Path) -> dict[str, Any]:
    """What the maker says; nothing where the file is damaged, which loading the model complains of."""
    try:
        return read_json(root, "gptdesk.json")
    except CheckpointError:
        return {}


def _languages(declared: Mapping[str, Any]) -> tuple[str, ...]:
    found = declared.get("languages")
    return tuple(map(str, found)) if isinstance(found, list) else ()


def _experimental(declared: Mapping[str, Any]) -> Experimental:
    try:
        return parse_experimental(declared.get(KEY, {}))
    except ValueError:
        return Experimental()


def _precision(folder: ModelFolder) -> str:
    if folder.kind == "onnx":
        return str(folder.config_data[ONNX_KEY].get("precision", "fp32"))
    bytes_by_type: Counter[str] = Counter()
    for step in plan_folder(folder).steps:
        bytes_by_type[step.stored.dtype] += step.stored.nbytes
    ranked = [name for name, _ in bytes_by_type.most_common(1)]
    return _PRECISIONS.get(ranked[0], ranked[0].lower()) if ranked else ""


def _tokenizer_warnings(folder: ModelFolder, present: list[str]) -> tuple[str, ...]:
    if folder.kind == "gguf" or any(files <= set(present) for files in _TOKENIZERS):
        return ()
    return ("The folder has no tokenizer.json: the model cannot read or write text.",)
