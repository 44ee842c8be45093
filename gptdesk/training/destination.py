"""Where the result of training goes, and whether it may; importable without torch."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from gptdesk.atomic import sync_folder
from gptdesk.checkpoints.adapter_folder import ADAPTER_FILE
from gptdesk.checkpoints.weight_files import INDEX_FILE, SINGLE_FILE
from gptdesk.errors import TrainingError
from gptdesk.training.shards import unwritable

_WEIGHTS_FILES = (SINGLE_FILE, INDEX_FILE, ADAPTER_FILE)


def mark_of(out: Path) -> list[int]:
    """What tells the model or adapter in `out` from any other; empty when there is none."""
    for name in _WEIGHTS_FILES:
        with contextlib.suppress(OSError):
            stat = (out / name).stat()
            return [stat.st_size, stat.st_mtime_ns]
    return []


def refuse_foreign(out: Path, mark: list[int]) -> None:
    """Refuse to train for hours towards a folder that holds something else.

    Args:
        out: where the model is to go.
        mark: `mark_of` the model that an earlier run of the same kind wrote there.

    Raises:
        TrainingError: the folder holds files of another origin.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not mark or mark_of(out) != mark:
        raise TrainingError(
            f"{out} exists and was not made by this training.",
            "Choose another place for the result, or move what is there away.",
        )


def replace_folder(out: Path, fresh: Path) -> None:
    """Put a folder in the place of another; whatever happens in between, one of them is whole.

    Raises:
        TrainingError: the older folder cannot be replaced.
    """
    old = out.with_name(f".{out.name}.old")
    try:
        shutil.rmtree(old, ignore_errors=True)
        if out.exists():
            out.replace(old)
        fresh.replace(out)
        shutil.rmtree(old, ignore_errors=True)
        sync_folder(out.parent)
    except OSError as error:
        raise unwritable(out, error) from error
