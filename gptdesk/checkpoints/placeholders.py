"""What people have in place of a large file after a download that did not do what they thought."""

from __future__ import annotations

from pathlib import Path

from gptdesk.errors import CheckpointError

_POINTER = b"version https://git-lfs"
_PAGES = (b"<!doctype html", b"<html")


def placeholder_error(path: Path) -> CheckpointError | None:
    """The error for a file that is no damaged one but another altogether; None if it is not."""
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER)).lstrip().lower()
    except OSError:
        return None
    if start.startswith(_POINTER):
        return CheckpointError(
            f"{path} is a pointer of Git LFS: it stands for a file that was not downloaded.",
            "Run “git lfs pull” in its folder, or download the file itself.",
        )
    if start.startswith(_PAGES):
        return CheckpointError(
            f"{path} is a web page, saved under the name of a model's file.",
            "Download the file itself, with the download button on that page.",
        )
    return None
