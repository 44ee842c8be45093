"""The layout of Hugging Face's download cache.

One folder for each model, models--<owner>--<name>: snapshots/<revision>/ holds links into blobs/,
and refs/main names the revision that was current when it was downloaded.
"""

from __future__ import annotations

from pathlib import Path

_PREFIX = "models--"
_SNAPSHOTS = "snapshots"


def repositories(cache: Path, most: int) -> list[Path]:
    """The folders of the models in a cache, sorted; none where it may not be read."""
    try:
        return sorted(cache.glob(f"{_PREFIX}*"))[:most]
    except OSError:
        return []


def main_snapshot(repository: Path) -> Path | None:
    """The revision of a model called "main", else the newest; None where there is none."""
    try:
        snapshots = sorted((repository / _SNAPSHOTS).iterdir(), key=_changed)
    except OSError:
        return None
    main = _main_revision(repository)
    named = [snapshot for snapshot in snapshots if snapshot.name == main]
    return next(iter(named or snapshots[-1:]), None)


def repository_name(snapshot: Path) -> str | None:
    """owner/name of the model whose snapshot this is; None for any other folder."""
    if snapshot.parent.name != _SNAPSHOTS:
        return None
    return snapshot.parent.parent.name.removeprefix(_PREFIX).replace("--", "/")


def blobs(snapshot: Path) -> Path | None:
    """Where the links of a snapshot lead; None for any other folder."""
    return snapshot.parent.parent / "blobs" if snapshot.parent.name == _SNAPSHOTS else None


def _main_revision(repository: Path) -> str:
    try:
        return (repository / "refs" / "main").read_text("ascii")[:100].strip()
    except (OSError, ValueError):
        return ""


def _changed(path: Path) -> float:
    return path.stat().st_mtime
