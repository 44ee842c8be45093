"""Where an export goes: what is certain to fail is said at once, and failures in plain words."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gptdesk.errors import ExportError

_FULL = ("The disk of {0} is full.", "Make room, or choose a folder on another disk.")
_FORBIDDEN = (
    "The export cannot be written to {0}: permission denied.",
    "Choose a folder of yours.",
)
_ERRORS = {
    errno.EEXIST: ("{0} exists and is not an empty folder.", "Choose a new or an empty folder."),
    errno.ENOTDIR: ("{0} lies below something that is not a folder.", "Choose another folder."),
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: (
        "The disk of {0} cannot hold a file that large.",
        "Choose a folder on a disk with a newer file system; FAT32 stops at 4 GiB.",
    ),
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: ("{0} is on a disk that cannot be written to.", "Choose a folder elsewhere."),
}


def check_destination(target: Path, needed: int) -> None:
    """Fail before anything is read where the end is certain.

    Args:
        target: the folder to make; nothing is there, or an empty folder.
        needed: bytes that its disk must have free.

    Raises:
        ExportError: there is not so much room.
        OSError: the folder cannot be made.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(errno.EEXIST, "exists and is not an empty folder", str(target))
    existing = next(parent for parent in (target, *target.parents) if parent.exists())
    if not existing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(existing))
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise ExportError(
            f"The export needs {needed >> 20:,} MiB, but the disk of {target} "
            f"has only {free >> 20:,} MiB left.",
            "Make room, or choose a folder on another disk.",
        )


@contextmanager
def destination_errors(target: Path) -> Iterator[None]:
    """Turn what the system reports while `target` is written into an `ExportError` with advice."""
    try:
        yield
    except OSError as error:
        title, hint = _ERRORS.get(
            error.errno or 0, ("The export to {0} cannot be written.", "Choose another folder.")
        )
        raise ExportError(title.format(target), hint, str(error)) from error
