"""The autosave journal on the disk: unsaved texts, one file each, safe against kill and power loss.

    journal/<session>/lock            locked as long as the session's process lives
    journal/<session>/<key>.json      one unsaved document
    journal/damaged/…                 entries that could not be read, kept for a person to look at

Each running app writes into a folder of its own, so two of them never touch the same file. The
operating system releases the lock when the process dies, however it dies; the next start adopts
the entries of every folder whose lock is free. It moves their files, so that each entry is in
exactly one folder whenever a process dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gptdesk import atomic
from gptdesk.text.file_lock import FileLock

FORMAT_VERSION = 1
_DAMAGED = "damaged"


@dataclass(frozen=True)
class JournalEntry:
    """One unsaved document.

    Args:
        key: names the entry; letters and digits.
        path: its file, "" for an untitled document.
        text: the accepted text.
        provisional: provisional text, "" for none.
        provisional_position: where it stands, in the editor's positions.
        cursor: where the caret stands, likewise.
        digest: what the file held when it was loaded; "" for none.
        encoding, newline, bom, mixed: how the file is written, as in `document.Document`.
        modified: whether `text` differs from the file's; if not, only `provisional` is unsaved.
    """

    key: str
    path: str = ""
    text: str = ""
    provisional: str = ""
    provisional_position: int = 0
    cursor: int = 0
    digest: str = ""
    encoding: str = "utf-8"
    newline: str = "\n"
    bom: bool = False
    mixed: str = ""
    modified: bool = True

    def to_bytes(self) -> bytes:
        """The entry as a file: a check sum, then JSON."""
        body = json.dumps({"format": FORMAT_VERSION, **asdict(self)}).encode("ascii")
        return hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body

    @classmethod
    def from_bytes(cls, data: bytes) -> JournalEntry:
        """Read a file's bytes.

        Raises:
            ValueError: they are damaged, or of a later version of gptdesk.
        """
        check, _, body = data.partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode("ascii") != check:
            raise ValueError("the check sum does not match")
        values: dict[str, Any] = json.loads(body)
        if values.pop("format", None) != FORMAT_VERSION:
            raise ValueError("written by another version of gptdesk")
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(str(error)) from error


@dataclass
class Adopted:
    """What the journal held of sessions that did not end well.

    Args:
        entries: their documents; they are in this session's folder now.
        damaged: entries that could not be read, where they are kept.
    """

    entries: list[JournalEntry] = field(default_factory=list)
    damaged: list[Path] = field(default_factory=list)


class Journal:
    """The journal of this process. Create it once; `close` it when every text is safe elsewhere.

    Raises:
        OSError: the folder cannot be written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._folder.mkdir(parents=True)
        self._lock = FileLock(self._folder / "lock")
        self._lock.acquire()

    def write(self, entry: JournalEntry) -> None:
        """Write or replace an entry.

        Raises:
            OSError: the disk is full, or the folder gone for good.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(self._place(entry.key), entry.to_bytes())

    def remove(self, key: str) -> None:
        """Forget an entry: its text is saved or was given up."""
        self._place(key).unlink(missing_ok=True)

    def adopt(self) -> Adopted:
        """Take over the entries of sessions that died, oldest first."""
        found = Adopted()
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir() and folder.name != _DAMAGED and folder != self._folder:
                self._adopt_folder(folder, found)
        return found

    def close(self) -> None:
        """Remove this session's folder if it is empty; entries that are left wait for the next."""
        self._lock.release()
        if not list(self._folder.glob("*.json")):
            _remove_folder(self._folder)

    def _adopt_folder(self, folder: Path, found: Adopted) -> None:
        lock = FileLock(folder / "lock")
        if not lock.acquire():
            return  # its process lives
        try:
            for file in sorted(folder.glob("*.json"), key=_modified):
                self._adopt_file(file, found)
        finally:
            lock.release()
        _remove_folder(folder)

    def _adopt_file(self, file: Path, found: Adopted) -> None:
        try:
            entry = JournalEntry.from_bytes(file.read_bytes())
            place = self._place(entry.key)
        except (OSError, ValueError):
            kept = self._root / _DAMAGED / f"{file.parent.name}-{file.name}"
            with contextlib.suppress(OSError):
                kept.parent.mkdir(exist_ok=True)
                file.replace(kept)
                found.damaged.append(kept)
            return
        if place.exists():  # somebody copied the folder: two texts of one name, and both stay
            entry = replace(entry, key=uuid.uuid4().hex)
            place = self._place(entry.key)
        with contextlib.suppress(OSError):  # what cannot be moved stays for the next start
            file.replace(place)  # a copy would come back twice after a kill before its removal
            found.entries.append(entry)

    def _place(self, key: str) -> Path:
        if not key.isalnum():
            raise ValueError(f"not a journal key: {key!r}")
        return self._folder / f"{key}.json"


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _remove_folder(folder: Path) -> None:
    """Remove a folder that holds no entry any more; leftovers of interrupted writes go with it."""
    with contextlib.suppress(OSError):
        for leftover in [*folder.glob(".*.tmp"), folder / "lock"]:
            leftover.unlink(missing_ok=True)
        folder.rmdir()
