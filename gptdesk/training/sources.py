"""Finds the text files that a configuration names, and opens them whatever packs them."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import json
import lzma
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from gptdesk.errors import TrainingError
from gptdesk.training.config import SourceSettings

TEXT_ENDINGS = (".txt", ".md")
LINES_ENDING = ".jsonl"
PACKED_ENDINGS = (".zst", ".xz", ".gz")

_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class TextFile:
    """One file of a source.

    Attributes:
        path: where it is.
        kind: "text" for prose, "lines" for JSON Lines.
        text_key: the key of a line that holds the text.
    """

    path: Path
    kind: Literal["text", "lines"]
    text_key: str = "text"


@dataclass(frozen=True, slots=True)
class Source:
    """The files of one `[data]` entry, in a fixed order, and how often they are seen."""

    name: str
    files: tuple[TextFile, ...]
    weight: float = 1.0


def find_sources(settings: Sequence[SourceSettings]) -> tuple[Source, ...]:
    """The files of every entry, sorted by path; a file belongs to the first entry that has it.

    Raises:
        TrainingError: an entry leads to no file of a kind that is read; names the entry.
    """
    taken: set[Path] = set()
    sources = []
    for entry in settings:
        files = [file for file in _files(entry) if file.path not in taken]
        taken.update(file.path for file in files)
        sources.append(Source(entry.path, tuple(files), entry.weight))
    return tuple(sources)


def fingerprint(sources: Iterable[Source]) -> str:
    """Changes when a file comes, goes, or changes in size or time."""
    digest = hashlib.sha256()
    for source in sources:
        for file in source.files:
            stat = file.path.stat()
            facts = [str(file.path), file.text_key, stat.st_size, stat.st_mtime_ns]
            digest.update(json.dumps(facts).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def open_unpacked(path: Path) -> BinaryIO:
    """Open a file for reading, decompressing .xz, .gz and .zst on the way.

    Raises:
        OSError: it cannot be opened.
        TrainingError: it is .zst and the library for that is not installed.
    """
    ending = path.suffix.lower()
    if ending == ".xz":
        return cast("BinaryIO", lzma.open(path, "rb"))
    if ending == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    if ending == ".zst":
        return _open_zst(path)
    return path.open("rb")


def unpacking_errors() -> tuple[type[Exception], ...]:
    """What reading a damaged compressed file may raise."""
    errors: list[type[Exception]] = [lzma.LZMAError, EOFError, OSError]
    try:
        import zstandard
    except ImportError:
        return tuple(errors)
    return (*errors, zstandard.ZstdError)


def _open_zst(path: Path) -> BinaryIO:
    try:
        import zstandard
    except ImportError as error:
        raise TrainingError(
            f"{path} is compressed with Zstandard, which needs a package that is not installed.",
            "Install it with `pip install gptdesk[train]`, or unpack the file.",
        ) from error
    reader = zstandard.ZstdDecompressor().stream_reader(
        path.open("rb"), read_across_frames=True, closefd=True
    )
    return cast("BinaryIO", io.BufferedReader(cast("io.RawIOBase", reader)))


def _files(entry: SourceSettings) -> list[TextFile]:
    """The files of one entry, sorted."""
    path = Path(entry.path)
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = [child for child in path.rglob("*") if child.is_file()]
    elif _WILDCARDS & set(entry.path):
        matches = map(Path, glob.iglob(entry.path, recursive=True))  # noqa: PTH207 - anywhere
        found = [match for match in matches if match.is_file()]
    else:
        raise TrainingError(
            f"There is no file or folder {entry.path}.",
            "Correct the path below [data]; it is relative to the configuration file.",
        )
    files = [_as_file(child, entry) for child in sorted(found) if not _hidden(child, path)]
    readable = [file for file in files if file is not None]
    if not readable:
        raise TrainingError(
            f"{entry.path} holds no text that can be read.",
            "These files are: .txt, .md and .jsonl, also compressed as .zst, .xz or .gz.",
        )
    return readable


def _hidden(path: Path, root: Path) -> bool:
    """Whether a file was found below a folder under a name that begins with a dot."""
    inside = path.relative_to(root).parts if path.is_relative_to(root) else ()
    return any(part.startswith(".") for part in inside)


def _as_file(path: Path, entry: SourceSettings) -> TextFile | None:
    name = path.name.lower()
    for ending in PACKED_ENDINGS:
        name = name.removesuffix(ending)
    if name.endswith(LINES_ENDING):
        return TextFile(path, "lines", entry.text_key)
    return TextFile(path, "text") if name.endswith(TEXT_ENDINGS) else None
