"""Remembers where the caret stood in the files opened lately."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from gptdesk import atomic, paths

_KEPT = 200


class Positions:
    """Caret positions by file, kept in the data folder; losing them is no harm, so errors pass."""

    def __init__(self) -> None:
        self._file = paths.data_dir() / "positions.json"
        self._known: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            data = json.loads(self._file.read_text(encoding="utf-8"))
            if isinstance(data, dict):
                self._known = {key: at for key, at in data.items() if isinstance(at, int)}

    def get(self, path: Path) -> int:
        """Where the caret stood in a file; 0 in one never seen."""
        return self._known.get(str(path), 0)

    def put(self, path: Path, position: int) -> None:
        """Note where the caret stands."""
        self._known.pop(str(path), None)
        self._known[str(path)] = position
        self._known = dict(list(self._known.items())[-_KEPT:])
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(self._file, json.dumps(self._known).encode())
