"""Opening files of a model folder safely: regular, inside the folder, of a sane size."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from gptdesk.checkpoints.download_cache import blobs
from gptdesk.checkpoints.placeholders import placeholder_error
from gptdesk.errors import CheckpointError

MAX_JSON_BYTES = 16 << 20  # parsed, this much JSON can still take 400 MB


def is_there(path: Path) -> bool:
    """Whether something has this name: a link that leads nowhere is to be named, not overlooked."""
    return path.is_symlink() or path.exists()


def checked_file(root: Path, name: str) -> Path:
    """The file `name` of the model folder `root`, with links followed.

    Raises:
        CheckpointError: it is missing, outside the folder, or no regular file. Opening a FIFO
            would wait forever and reading a device never ends, so neither is ever opened.
    """
    path = root / name
    try:
        target = path.resolve()
        # Asked first, so that an answer never tells what exists elsewhere.
        inside = any(target.is_relative_to(home) for home in _homes(root))
        mode = target.stat().st_mode if inside else 0
    except FileNotFoundError as error:
        raise CheckpointError(
            f"The model in {root} has no file {name}.",
            "Download the model again: the folder is incomplete.",
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be opened.", "Check that you may read it.", str(error)
        ) from error
    if not inside:
        raise CheckpointError(
            f"{name} in {root} points outside the model's folder.",
            "Only open models from sources you trust; this one may be trying to read other files.",
            f"it leads to {target}",
        )
    if not stat.S_ISREG(mode):
        raise CheckpointError(
            f"{path} is not a regular file.",
            "A model's files must be ordinary files, not pipes, devices or folders.",
        )
    return target


def read_json(root: Path, name: str) -> dict[str, Any]:
    """Parse the JSON object in file `name` of `root`.

    Raises:
        CheckpointError: the file fails `checked_file`, is too large, or holds no JSON object.
    """
    path = checked_file(root, name)
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise _not_json(root, name, f"it is larger than {MAX_JSON_BYTES >> 20} MiB")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(
            f"{root / name} cannot be read.", "Check that you may read it.", str(error)
        ) from error
    except (ValueError, RecursionError) as error:
        raise _not_json(root, name, str(error)) from error
    if not isinstance(data, dict):
        raise _not_json(root, name, "it is not a JSON object")
    return data


def _homes(root: Path) -> list[Path]:
    """Folders whose files belong to the model.

    A snapshot in the download cache is full of links into the blobs of the same repository;
    nothing else outside the folder is allowed.
    """
    home = root.resolve()
    return [folder for folder in (home, blobs(home)) if folder is not None]


def _not_json(root: Path, name: str, why: str) -> CheckpointError:
    return placeholder_error(root / name) or CheckpointError(
        f"{name} in {root} is not valid JSON.",
        "Download the model again: the file is damaged or of another kind.",
        why,
    )
