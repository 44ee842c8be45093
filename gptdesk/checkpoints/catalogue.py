"""The models a person can choose from without looking for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gptdesk import paths
from gptdesk.checkpoints.families.base import CONFIG_NAME
from gptdesk.checkpoints.info import ModelInfo
from gptdesk.checkpoints.inspection import inspect_model, model_name
from gptdesk.errors import CheckpointError

_MAX_ENTRIES = 1000


def list_models(extra: Sequence[Path] = ()) -> list[ModelInfo]:
    """Models that came with the app, the person's own, and those in other folders of theirs.

    Looked for in each place itself, the folders in it, and the folders in those. A model that
    cannot be loaded is listed with its `refusal`. Headers only: no weights, no torch.
    """
    places = [paths.bundled_models_dir(), paths.user_models_dir(), *extra]
    roots: dict[Path, Path] = {}
    for place in places:
        for root in _model_folders(Path(place).expanduser()):
            roots.setdefault(root.resolve(), root)
    return [_describe(root) for root in roots.values()]


def _model_folders(place: Path, depth: int = 2) -> Iterator[Path]:
    if (place / CONFIG_NAME).exists():
        yield place
        return
    if depth == 0:
        return
    try:
        entries = sorted(place.iterdir())[:_MAX_ENTRIES]
    except OSError:
        return
    for entry in entries:
        if entry.is_dir() and not entry.name.startswith("."):
            yield from _model_folders(entry, depth - 1)


def _describe(root: Path) -> ModelInfo:
    try:
        return inspect_model(root)
    except CheckpointError as error:
        return ModelInfo(path=root, name=model_name(root), refusal=error.title)
