"""Describing an adapter from its headers: milliseconds, no weights, no torch."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from gptdesk.checkpoints.adapter_folder import AdapterFolder, resolve_adapter
from gptdesk.checkpoints.inspection import model_name

_PRECISIONS = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "F64": "fp64"}


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """A LoRA adapter on disk.

    Attributes:
        path: its folder.
        name: for the person.
        base: name or path of the model it was made for, "" if it does not say.
        ranks: the different ranks of its matrices.
        alpha: its weight, before division by the rank.
        modules: the kinds of layers it adapts, as the base model's files name them.
        replaced: parameters that it holds whole.
        parameters: how many numbers it consists of.
        precision: of most of them.
        bytes_on_disk: size of its tensors.
    """

    path: Path
    name: str
    base: str
    ranks: tuple[int, ...]
    alpha: float
    modules: tuple[str, ...]
    replaced: tuple[str, ...]
    parameters: int
    precision: str
    bytes_on_disk: int


def inspect_adapter(path: str | Path) -> AdapterInfo:
    """Describe the adapter in a folder, or the one that a file belongs to.

    Raises:
        CheckpointError: it is missing, damaged or hostile.
        UnsupportedModelError: it is of a kind that gptdesk does not apply.
    """
    return describe_adapter(resolve_adapter(path))


def describe_adapter(folder: AdapterFolder) -> AdapterInfo:
    """What its headers and adapter_config.json say."""
    tensors = folder.tensors
    types: Counter[str] = Counter()
    for tensor in tensors:
        types[tensor.dtype] += tensor.nbytes
    return AdapterInfo(
        path=folder.root,
        name=model_name(folder.root),
        base=folder.options.base,
        ranks=tuple(folder.ranks),
        alpha=folder.options.alpha,
        modules=tuple(sorted({re.sub(r".*\.\d+\.", "", module) for module in folder.halves})),
        replaced=tuple(sorted(folder.whole)),
        parameters=sum(math.prod(tensor.shape) for tensor in tensors),
        precision=_PRECISIONS[types.most_common(1)[0][0]],
        bytes_on_disk=sum(tensor.nbytes for tensor in tensors),
    )


def doubt_about_base(folder: AdapterFolder, model_root: Path) -> list[str]:
    """A warning if the adapter names a base model that plainly is not the one in `model_root`.

    Copies and conversions go by many names, so one that holds the other is enough.
    """
    wanted = _letters(folder.options.base.rstrip("/\\").replace("\\", "/").rpartition("/")[2])
    names = {_letters(model_root.name), _letters(model_name(model_root).rpartition("/")[2])}
    if not wanted or any(name and (name in wanted or wanted in name) for name in names):
        return []
    warning = (
        f"The adapter was made for {folder.options.base}; this model is called "
        f"{model_name(model_root)}."
    )
    return [warning]


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
