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
    try:
        is_model = (place / CONFIG_NAME).exists()
        entries = [] if is_model or depth == 0 else sorted(place.iterdir())[:_MAX_ENTRIES]
        folders = [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    except OSError:  # a place that may not be entered, or a disk that is gone
        return
    if is_model:
        yield place
    for folder in folders:
        yield from _model_folders(folder, depth - 1)


def _describe(root: Path) -> ModelInfo:
    try:
        return inspect_model(root)
    except CheckpointError as error:
        return ModelInfo(path=root, name=model_name(root), refusal=error.title)
