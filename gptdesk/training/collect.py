"""Streams documents out of files: decoded, cut to size, without repeats, split for validation.

    Source ─► lines ─► documents ─► Collector: too short? seen before? held out?

A file is never held whole, so a corpus may be larger than the memory. Two passes over the same
files give the same documents in the same order.
"""

from __future__ import annotations

import codecs
import hashlib
import heapq
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gptdesk.errors import DocumentError, TrainingError
from gptdesk.text.encodings import decode
from gptdesk.training.config import DataSettings
from gptdesk.training.sources import Source, TextFile, open_unpacked, unpacking_errors
from gptdesk.training.tables import nearest

Split = Literal["train", "validation"]

_HEAD_BYTES = 4 << 20
_LINE_CHARS = 1 << 20  # a "line" may be a whole book
_JSON_LINE_CHARS = 64 << 20
HASH_RANGE = 1 << 64
_CANDIDATES = 64
_NAMED = 3
_LARGEST_HELD_OUT = 0.2
_BOMS = (  # UTF-32's little-endian mark begins with UTF-16's, so it comes first
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass
class Inventory:
    """What one pass over the text found.

    Attributes:
        documents, chars: of what is used, by source.
        duplicates: documents left out as they had been read before.
        short: documents left out for their length.
        skipped: files and lines that could not be read, with the reason.
        smallest: (hash, characters) of the documents that would be held out first.
    """

    documents: list[int] = field(default_factory=list)
    chars: list[int] = field(default_factory=list)
    duplicates: int = 0
    short: int = 0
    skipped: list[str] = field(default_factory=list)
    smallest: list[tuple[int, int]] = field(default_factory=list)


class SeenHashes:
    """A set of 64-bit hashes in 8 bytes each: recent ones in a set, older ones sorted."""

    def __init__(self, recent: int = 1 << 18) -> None:
        self._recent: set[int] = set()
        self._sorted: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._limit = recent

    def add(self, value: int) -> bool:
        """Add a hash; returns False when it was there."""
        if value in self._recent or self._is_old(value):
            return False
        self._recent.add(value)
        if len(self._recent) >= max(self._limit, len(self._sorted) // 8):
            new = np.fromiter(self._recent, np.uint64, len(self._recent))
            self._sorted = np.sort(np.concatenate([self._sorted, new]))
            self._recent.clear()
        return True

    def _is_old(self, value: int) -> bool:
        at = int(np.searchsorted(self._sorted, np.uint64(value)))
        return at < len(self._sorted) and int(self._sorted[at]) == value


class Collector:
    """One pass over all documents of some sources.

    Args:
        sources: where they come from.
        settings: lengths, separators and what to do with what cannot be read.

    Attributes:
        inventory: grows as documents are taken from `documents`.
    """

    def __init__(self, sources: Iterable[Source], settings: DataSettings) -> None:
        self._sources = tuple(sources)
        self._settings = settings
        self._seen = SeenHashes()
        count = len(self._sources)
        self.inventory = Inventory(documents=[0] * count, chars=[0] * count)

    def documents(self) -> Iterator[tuple[int, int, str]]:
        """Yield (number of the source, hash, text) of every document that is used.

        Raises:
            TrainingError: a file cannot be read, and the settings do not say to skip it.
        """
        for number, source in enumerate(self._sources):
            for file in source.files:
                for text in self._read(file):
                    value = document_hash(text)
                    if self._accept(text, value):
                        self._count(number, value, len(text))
                        yield number, value, text

    def _read(self, file: TextFile) -> Iterator[str]:
        try:
            yield from read_documents(file, self._settings, self._skip_line)
        except DocumentError as error:
            if self._settings.undecodable == "refuse":
                raise TrainingError(
                    error.title,
                    'Repair or remove the file, or set undecodable = "skip" below [data].',
                    error.details,
                ) from error
            self.inventory.skipped.append(error.title)

    def _skip_line(self, error: DocumentError) -> None:
        if self._settings.undecodable == "refuse":
            raise error
        self.inventory.skipped.append(error.title)

    def _accept(self, text: str, value: int) -> bool:
        if len(text) < self._settings.min_chars:
            self.inventory.short += 1
            return False
        if self._settings.deduplicate and not self._seen.add(value):
            self.inventory.duplicates += 1
            return False
        return True

    def _count(self, number: int, value: int, chars: int) -> None:
        inventory = self.inventory
        inventory.documents[number] += 1
        inventory.chars[number] += chars
        # A heap of the smallest: heapq keeps the least on top, so hashes go in negative.
        if len(inventory.smallest) < _CANDIDATES:
            heapq.heappush(inventory.smallest, (-value, chars))
        else:
            heapq.heappushpop(inventory.smallest, (-value, chars))


def document_hash(text: str) -> int:
    """64 bits that depend on nothing but the text."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def held_out_below(inventory: Inventory, fraction: float) -> int:
    """The hash below which a document is held out for validation; 0 for none.

    That is a share `fraction` of the documents. Where it would be none, the first small enough
    document in the order of hashes is taken alone, so that a few long texts can be judged too.
    """
    cutoff = int(fraction * HASH_RANGE)
    candidates = sorted((-negative, chars) for negative, chars in inventory.smallest)
    if not fraction or (candidates and candidates[0][0] < cutoff):
        return cutoff
    limit = _LARGEST_HELD_OUT * sum(inventory.chars)
    return next((value + 1 for value, chars in candidates if chars <= limit), 0)


def read_documents(
    file: TextFile, settings: DataSettings, on_bad_line: Callable[[DocumentError], None]
) -> Iterator[str]:
    """Yield the documents of one file.

    Args:
        file: what to read.
        settings: lengths and separators.
        on_bad_line: told about a line of JSON Lines that is none; it may raise to stop.

    Raises:
        DocumentError: the file cannot be read or is no text.
    """
    try:
        if file.kind == "lines":
            for text in _json_texts(file, on_bad_line):
                yield from _pieces(io.StringIO(text, newline=None), settings.max_chars, "")
        else:
            with _open_text(file) as stream:
                yield from _pieces(stream, settings.max_chars, settings.separator)
    except UnicodeError as error:
        raise DocumentError(
            f"{file.path} is not text in an encoding that can be recognised.", "", str(error)
        ) from error
    except unpacking_errors() as error:
        raise DocumentError(f"{file.path} cannot be read: {error}.", "", repr(error)) from error


def _open_text(file: TextFile) -> io.TextIOWrapper:
    r"""The file as text whose lines end with `\n`; its encoding is found by its beginning."""
    with open_unpacked(file.path) as stream:
        head = stream.read(_HEAD_BYTES + 1)
    encoding = _encoding(head, str(file.path))
    return io.TextIOWrapper(open_unpacked(file.path), encoding, "strict", newline=None)


def _encoding(head: bytes, name: str) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if len(head) > _HEAD_BYTES:  # the cut may have split a character; it never splits a line end
        head = head[: head.rfind(b"\n") + 1] or head[:-4]
    return decode(head, name)[1]


def _pieces(stream: io.TextIOBase, max_chars: int, separator: str) -> Iterator[str]:
    """Cut text into documents: at separators, and where one grows too long at a blank line."""
    lines: list[str] = []
    size = blank = blank_size = 0  # `blank`: how many of the lines end with the last blank one
    while line := stream.readline(min(_LINE_CHARS, max_chars)):
        if separator and line.rstrip("\n") == separator:
            yield from _joined(lines)
            lines, size, blank, blank_size = [], 0, 0, 0
            continue
        if lines and size + len(line) > max_chars:
            cut, cut_size = (blank, blank_size) if blank_size > size // 2 else (len(lines), size)
            yield from _joined(lines[:cut])
            lines, size, blank, blank_size = lines[cut:], size - cut_size, 0, 0
        lines.append(line)
        size += len(line)
        if not line.strip():
            blank, blank_size = len(lines), size
    yield from _joined(lines)


def _joined(lines: list[str]) -> Iterator[str]:
    text = "".join(lines).strip("\n")
    if "\0" in text:
        raise UnicodeError("a null character")
    if text.strip():
        yield text


def _json_texts(file: TextFile, on_bad_line: Callable[[DocumentError], None]) -> Iterator[str]:
    for _, row in json_rows(file, on_bad_line):
        text = row.get(file.text_key)
        if isinstance(text, str):
            # JSON can spell half a surrogate pair; UTF-8 cannot.
            yield text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
        else:
            close = nearest(file.text_key, list(row))
            advice = f'; the nearest key is "{close}"' if close else f"; it has {', '.join(row)}"
            raise DocumentError(
                f'{file.path} has no text under the key "{file.text_key}"{advice}.',
            )


def json_rows(
    file: TextFile, on_bad_line: Callable[[DocumentError], None]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of every line of a JSON Lines file that is not blank.

    Raises:
        DocumentError: a line is larger than any document.
        UnicodeError: the file is not UTF-8.
    """
    with io.TextIOWrapper(open_unpacked(file.path), "utf-8-sig", newline="\n") as stream:
        number = 0
        while line := stream.readline(_JSON_LINE_CHARS):
            number += 1
            if not line.strip():
                continue
            row = _parsed(line)
            if row is not None:
                yield number, row
            elif len(line) >= _JSON_LINE_CHARS:
                raise DocumentError(f"Line {number} of {file.path} is too long to be a document.")
            else:
                on_bad_line(DocumentError(f"Line {number} of {file.path} is not a JSON object."))


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def skipped_text(skipped: Sequence[str]) -> str:
    """A sentence about files and lines that were left out; the first ones with the reason."""
    named, more = list(skipped[:_NAMED]), len(skipped) - _NAMED
    if more > 0:
        named.append(f"And {more} more.")
    return f"{len(skipped)} files or lines were left out: {' '.join(named)}"
