"""Writes that either happen whole or not at all, whatever dies in between.

A reader sees the old content or the new one: data goes to a temporary file or folder beside the
target, is flushed to the disk, and takes the target's name in one step.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the content of `path` with `data`; its permissions stay.

    A symbolic link is followed: the file it points to is replaced, not the link.

    Raises:
        OSError: the folder cannot be written or the disk is full; the old content is untouched.
    """
    target = path.resolve()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(target.stat().st_mode & 0o7777 if target.exists() else _new_file_mode())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        FileExistsError: `path` exists and is not an empty folder.
        OSError: the parent cannot be written or the disk is full.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "a null character in the name", str(path))
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileExistsError(f"{path} exists and is not an empty folder")
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(path.parent))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
    try:
        yield temporary
        sync_files(temporary)
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        temporary.replace(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    sync_folder(path.parent)


def sync_files(folder: Path) -> None:
    """Flush every file below `folder`: a rename may reach the disk before what was written."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:  # Windows flushes only what is open for writing
                os.fsync(file.fileno())


def _new_file_mode() -> int:
    return 0o666 & ~_umask()


def _umask() -> int:
    # The mask can only be read by setting it; the gap is harmless for a mask we put back at once.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
