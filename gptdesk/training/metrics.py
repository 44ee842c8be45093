"""The figures of a run on disk: metrics.jsonl, and TensorBoard's event files where installed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gptdesk.atomic import write_bytes
from gptdesk.training.events import Evaluated, StepDone, TrainingWarning

METRICS_FILE = "metrics.jsonl"
_BOARD_FOLDER = "tensorboard"


class MetricsLog:
    """Appends `StepDone` and `Evaluated` events to the files of a run.

    What an interrupted run recorded after its last checkpoint is dropped: those steps are made
    again, and a curve must not go back in time.

    Args:
        folder: of the run.
        step: at which it begins or goes on.
        tensorboard: whether to write its event files too.
    """

    def __init__(self, folder: Path, step: int, *, tensorboard: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / METRICS_FILE
        kept = [line for line, data in _records(path) if data["step"] <= step]
        write_bytes(path, "".join(line + "\n" for line in kept).encode())
        self._file = path.open("a", encoding="utf-8")
        self._board = _open_board(folder / _BOARD_FOLDER, step) if tensorboard else None
        self._failed = False

    def write(self, event: StepDone | Evaluated) -> Iterator[TrainingWarning]:
        """Record an event, in one write, so that a kill leaves no half of a line but the last.

        Yields:
            A warning, once, when nothing can be written any more: training goes on.
        """
        if self._failed:
            return
        data = dataclasses.asdict(event)
        kind = "train" if isinstance(event, StepDone) else "held_out"
        try:
            self._file.write(json.dumps({"kind": kind, **data}) + "\n")
            self._file.flush()
            if self._board is not None:
                for name, value in data.items():
                    if name != "step" and value is not None:
                        self._board.add_scalar(f"{kind}/{name}", value, event.step)
        except OSError as error:
            self._failed = True
            yield TrainingWarning(f"The figures of this run cannot be recorded: {error}")

    def close(self) -> None:
        """Close the files."""
        with contextlib.suppress(OSError):  # what could not be written was told already
            self._file.close()
        with contextlib.suppress(OSError):
            if self._board is not None:
                self._board.close()


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The records of a run, in order; lines that a kill cut short are left out."""
    return [data for _, data in _records(folder / METRICS_FILE)]


def _records(path: Path) -> list[tuple[str, dict[str, Any]]]:
    records = []
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text("utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                data = json.loads(line)
                if isinstance(data, dict) and isinstance(data.get("step"), int):
                    records.append((line, data))
    return records


def _open_board(folder: Path, step: int) -> Any:
    """A writer that hides what was recorded after `step`; None where TensorBoard is missing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own dependencies
            from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1)
