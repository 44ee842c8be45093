"""The models a person can choose from without looking for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from gptdesk import paths
from gptdesk.checkpoints.download_cache import main_snapshot, repositories
from gptdesk.checkpoints.families.base import CONFIG_NAME
from gptdesk.checkpoints.info import ModelInfo
from gptdesk.checkpoints.inspection import inspect_model, model_name
from gptdesk.errors import CheckpointError

_MAX_ENTRIES = 1000
_LATER_PART = re.compile(r"-(?!00001)\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)


def list_models(extra: Sequence[Path] = ()) -> list[ModelInfo]:
    """Models that came with the app, the person's own, and those in other folders of theirs.

    Looked for in each place itself, the folders in it, and the folders in those; a model is a
    folder with a config.json, a GGUF file, or a folder with the checkpoint of a training script.
    The download cache of Hugging Face is one of the places, with one revision of each model.
    Headers only: no weights are read. A model that cannot be loaded is listed, at the end, with
    its `refusal`.

    Args:
        extra: further folders, or models, in the order of the answer.
    """
    places = [paths.bundled_models_dir(), paths.user_models_dir(), *extra]
    found = [path for place in places for path in _models_in(Path(place).expanduser())]
    found += _downloaded(paths.hub_cache_dir())
    models = {path.resolve(): path for path in reversed(found)}
    described = [_describe(path) for path in reversed(models.values())]
    return sorted(described, key=lambda info: bool(info.refusal))


def _models_in(place: Path, depth: int = 2) -> Iterator[Path]:
    """Models at `place`, which may be one, and up to `depth` folders below it."""
    try:
        if place.is_file() or (place / CONFIG_NAME).exists():
            entries = [place]
        else:
            entries = sorted(place.iterdir())[:_MAX_ENTRIES]
    except OSError:  # a place that may not be entered, or a disk that is gone
        return
    if entries == [place]:
        yield place
        return
    if any(entry.suffix == ".pt" for entry in entries):
        yield place
    for entry in entries:
        if entry.suffix.lower() == ".gguf" and not _LATER_PART.search(entry.name):
            yield entry
        elif depth and not entry.name.startswith(".") and _is_folder(entry):
            yield from _models_in(entry, depth - 1)


def _downloaded(cache: Path) -> Iterator[Path]:
    """Of each downloaded model the revision called "main"."""
    for repository in repositories(cache, _MAX_ENTRIES):
        snapshot = main_snapshot(repository)
        if snapshot is not None:
            yield from _models_in(snapshot, depth=0)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _describe(path: Path) -> ModelInfo:
    try:
        return inspect_model(path)
    except CheckpointError as error:
        return ModelInfo(path=path, name=model_name(path), refusal=error.title)
