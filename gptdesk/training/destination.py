"""Whether a finished model may go where the configuration says; importable without torch."""

from __future__ import annotations

from pathlib import Path

from gptdesk.errors import TrainingError

_WEIGHTS_FILE = "model.safetensors"


def mark_of(out: Path) -> list[int]:
    """What tells the model that was written to `out` from any other; empty when there is none."""
    try:
        stat = (out / _WEIGHTS_FILE).stat()
    except OSError:
        return []
    return [stat.st_size, stat.st_mtime_ns]


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
            "Choose another [run] out, or move what is there away.",
        )
