"""Token ids on disk: written shard by shard, read through a memory map.

    folder/
        shard-00000.bin …   ids as little-endian uint16, or uint32 for large vocabularies
        progress.json       while it is being written: the shards that are whole
        index.json          written last: what there is, and what it was made from

Every document ends with the end-of-text id and lies in one shard. A folder that was left half
written is gone on with; one made from other text or another tokenizer is made anew.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gptdesk import atomic
from gptdesk.errors import TrainingError

INDEX_FILE = "index.json"
PROGRESS_FILE = "progress.json"
SHARD_TOKENS = 1 << 24
_UINT16_IDS = 1 << 16
_FORMAT = 1

Ids = NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Shard:
    """One file of tokens.

    Attributes:
        file: its name in the folder.
        tokens: ids in it, ends of text included.
        documents: that end in it.
        bytes: UTF-8 bytes of their text.
    """

    file: str
    tokens: int
    documents: int
    bytes: int


@dataclass(frozen=True)
class Index:
    """What a folder of shards holds and what it was made from.

    Attributes:
        dtype: "<u2" or "<u4".
        vocab_size: ids are below it.
        end_id: the id that ends each document.
        tokenizer: hash of the tokenizer.
        source: fingerprint of the text and of the settings that select it.
        shards: in the order of the text.
    """

    dtype: str
    vocab_size: int
    end_id: int
    tokenizer: str
    source: str
    shards: tuple[Shard, ...] = ()
    format: int = _FORMAT

    def same_origin(self, other: Index) -> bool:
        """Whether the other was made from the same text by the same tokenizer."""
        return dataclasses.replace(self, shards=()) == dataclasses.replace(other, shards=())

    @property
    def tokens(self) -> int:
        """Ids in all shards."""
        return sum(shard.tokens for shard in self.shards)

    @property
    def documents(self) -> int:
        """Documents in all shards."""
        return sum(shard.documents for shard in self.shards)

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of the text in all shards."""
        return sum(shard.bytes for shard in self.shards)

    @classmethod
    def read(cls, path: Path) -> Index | None:
        """The index in a file; None when it is missing or damaged."""
        try:
            data: dict[str, Any] = json.loads(path.read_text("utf-8"))
            shards = tuple(Shard(**shard) for shard in data.pop("shards"))
            return cls(shards=shards, **data)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def write(self, path: Path) -> None:
        """Replace the file in one step."""
        data = json.dumps(dataclasses.asdict(self), indent=1)
        atomic.write_bytes(path, data.encode("utf-8"))


class TokenShards:
    """Finished shards, read without loading them.

    Args:
        folder: as `ShardWriter` left it.

    Raises:
        TrainingError: the index is missing or a file is not as long as it says.
    """

    def __init__(self, folder: Path) -> None:
        index = Index.read(folder / INDEX_FILE)
        if index is None or not _whole(folder, index):
            raise TrainingError(
                f"The tokens in {folder} are incomplete.",
                "Run the same command again: what is missing is made anew.",
            )
        self.folder = folder
        self.index = index

    @cached_property
    def arrays(self) -> list[Ids]:
        """The ids of each shard, memory-mapped."""
        return [
            np.memmap(self.folder / shard.file, self.index.dtype, "r", shape=(shard.tokens,))
            for shard in self.index.shards
        ]

    @property
    def bytes_per_token(self) -> float:
        """Mean UTF-8 bytes per id, ends of text counted as ids of no bytes."""
        return self.index.bytes / self.index.tokens if self.index.tokens else 0.0


@dataclass
class _Open:
    """The shard that is being filled, in memory."""

    parts: list[Ids] = field(default_factory=list)
    tokens: int = 0
    documents: int = 0
    bytes: int = 0


class ShardWriter:
    """Writes documents to a folder, or goes on where an earlier writer was stopped.

    Args:
        folder: made when it is missing. Shards of another origin in it are deleted.
        index: what is to be written, without shards.
        shard_tokens: a shard is closed when it holds as many.

    Attributes:
        documents_done: documents in shards that are already whole: pass over them.

    Raises:
        TrainingError: the folder cannot be written or the disk is full. Whole shards stay.
    """

    def __init__(self, folder: Path, index: Index, shard_tokens: int = SHARD_TOKENS) -> None:
        self._folder = folder
        self._shard_tokens = shard_tokens
        self._dtype = np.dtype(index.dtype)
        self._open = _Open()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.index = _resumed(folder, index)
        except OSError as error:
            raise unwritable(folder, error) from error

    @property
    def documents_done(self) -> int:
        """Documents in shards that are whole."""
        return self.index.documents

    def add(self, ids: Sequence[int], text_bytes: int) -> None:
        """Append one document: its ids without the end, and the UTF-8 bytes of its text."""
        part = np.empty(len(ids) + 1, self._dtype)
        part[:-1] = ids
        part[-1] = self.index.end_id
        shard = self._open
        shard.parts.append(part)
        shard.tokens += len(part)
        shard.documents += 1
        shard.bytes += text_bytes
        if shard.tokens >= self._shard_tokens:
            self._close_shard()

    def finish(self) -> TokenShards:
        """Write the last shard and the index."""
        if self._open.documents:
            self._close_shard()
        try:
            self.index.write(self._folder / INDEX_FILE)
            (self._folder / PROGRESS_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._folder, error) from error
        return TokenShards(self._folder)

    def _close_shard(self) -> None:
        name = f"shard-{len(self.index.shards):05}.bin"
        shard = Shard(name, self._open.tokens, self._open.documents, self._open.bytes)
        try:
            _write_parts(self._folder / name, self._open.parts)
            self.index = dataclasses.replace(self.index, shards=(*self.index.shards, shard))
            self.index.write(self._folder / PROGRESS_FILE)
        except OSError as error:
            raise unwritable(self._folder, error) from error
        self._open = _Open()


def dtype_for(vocab_size: int) -> str:
    """The smallest type that holds every id."""
    return "<u2" if vocab_size <= _UINT16_IDS else "<u4"


def documents_of(shards: TokenShards) -> Iterator[Ids]:
    """Yield the ids of each document with the end of text."""
    for array in shards.arrays:
        ends = np.flatnonzero(array == shards.index.end_id) + 1
        for start, end in itertools.pairwise([0, *ends.tolist()]):
            yield array[start:end]


def is_finished(folder: Path, wanted: Index) -> bool:
    """Whether the folder holds all tokens of this origin, whole."""
    index = Index.read(folder / INDEX_FILE)
    return index is not None and index.same_origin(wanted) and _whole(folder, index)


def unwritable(folder: Path, error: OSError) -> TrainingError:
    """The error of a folder of work that cannot be written."""
    return TrainingError(
        f"{folder} cannot be written: {error.strerror or error}.",
        "Make room on the disk or choose another [run] work, then run the same command again: "
        "what is whole is kept.",
        repr(error),
    )


def _whole(folder: Path, index: Index) -> bool:
    width = np.dtype(index.dtype).itemsize
    try:
        return all(
            (folder / shard.file).stat().st_size == shard.tokens * width for shard in index.shards
        )
    except OSError:
        return False


def _resumed(folder: Path, wanted: Index) -> Index:
    """The shards to go on from; everything else is deleted."""
    found = Index.read(folder / PROGRESS_FILE)
    kept = found if found and found.same_origin(wanted) and _whole(folder, found) else wanted
    names = {shard.file for shard in kept.shards} | {PROGRESS_FILE}
    for path in folder.iterdir():
        if path.name not in names and path.is_file():
            path.unlink()
    return kept


def _write_parts(path: Path, parts: Sequence[Ids]) -> None:
    """Write arrays to a file that appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part.data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    atomic.sync_folder(path.parent)
