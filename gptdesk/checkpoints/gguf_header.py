"""Reading the header of a GGUF file: metadata, names, types, shapes and places, no weights.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Little-endian: "GGUF", version,
how many tensors, how many keys; the keys with their values; the tensors' descriptions; from the
next multiple of `general.alignment` on the data. Every count, length and place is checked against
the file's size before anyone allocates: a header may claim anything. The reader of the `gguf`
package maps the file and believes it, which is why this one exists.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from typing import Any

from gptdesk.checkpoints.placeholders import placeholder_error
from gptdesk.checkpoints.stored_tensor import BLOCK_TYPES, StoredTensor, stored_bytes
from gptdesk.errors import CheckpointError, UnsupportedModelError

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_HEADER_BYTES = 64 << 20  # six times that of the largest vocabulary in use
_MAX_KEYS = 10_000
_MAX_TENSORS = 100_000
_MAX_DIMENSIONS = 4
_MAX_NAME = 500
_MAX_TEXT = 1 << 20
_MAX_SHORT_ARRAY = 1024
_MAX_ALIGNMENT = 1 << 20
_DEFAULT_ALIGNMENT = 32
_FIRST_READ = 1 << 20
_LENGTH = struct.Struct("<Q")
_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_KEY = re.compile(rb"[\x21-\x7e]{1,500}")

TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    6: "Q5_0",
    7: "Q5_1",
    8: "Q8_0",
    12: "Q4_K",
    13: "Q5_K",
    14: "Q6_K",
    28: "F64",
    30: "BF16",
}
"""Types of tensors that are read, by their number in the file."""


@dataclass(frozen=True, slots=True)
class LongValue:
    """A long array or text of the metadata, left in the file until somebody wants it.

    Attributes:
        kind: number of its items' type.
        count: of its items.
        offset: of its first byte from the start of the file.
        nbytes: length in bytes.
    """

    kind: int
    count: int
    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says before its data.

    Attributes:
        path: the file.
        metadata: key to number, bool, text, list of up to 1,024 numbers, or `LongValue`.
        tensors: by name, in file order; shapes are the usual way round, rows first.
    """

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, StoredTensor]

    def texts(self, key: str) -> list[str]:
        """The strings of an array; [] when the key is absent.

        Raises:
            CheckpointError: it is no array of strings, holds broken UTF-8, or the file changed.
        """
        value = self.metadata.get(key)
        if value is None:
            return []
        if not isinstance(value, LongValue) or value.kind != _STRING:
            raise _damaged(self.path, f"{key} is not a list of strings")
        data = self._bytes(value)
        texts, position = [], 0
        try:
            for _ in range(value.count):
                start = position + 8
                position = start + _LENGTH.unpack_from(data, position)[0]
                texts.append(data[start:position].decode("utf-8"))
        except (struct.error, UnicodeDecodeError) as error:
            raise _damaged(self.path, f"{key} holds a broken string: {error}") from error
        return texts

    def count(self, key: str) -> int:
        """How many items an array has; 0 when the key is absent or of another type."""
        value = self.metadata.get(key)
        if isinstance(value, LongValue):
            return value.count
        return len(value) if isinstance(value, list) else 0

    def numbers(self, key: str) -> list[Any]:
        """The numbers of an array; [] when the key is absent.

        Raises:
            CheckpointError: it is no array of numbers, or the file changed.
        """
        value = self.metadata.get(key)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        if not isinstance(value, LongValue) or value.kind not in _SCALARS:
            raise _damaged(self.path, f"{key} is not a list of numbers")
        return _unpack(value.kind, self._bytes(value))

    def _bytes(self, value: LongValue) -> bytes:
        return read_bytes(self.path, value.offset, value.nbytes)


def read_gguf_header(path: Path) -> GgufHeader:
    """Metadata and tensors of one GGUF file.

    Raises:
        CheckpointError: the file is truncated, damaged or not GGUF.
        UnsupportedModelError: a version, a byte order or a type of weights that is not read.
    """
    try:
        with path.open("rb") as file:
            return _Parser(path, file, path.stat().st_size).parse()
    except OSError as error:
        raise _unreadable(path, error) from error


def read_bytes(path: Path, offset: int, nbytes: int) -> bytes:
    """A part of the file that its header described.

    Raises:
        CheckpointError: the file has become shorter, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(nbytes)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) != nbytes:
        raise _damaged(path, f"it ends before byte {offset + nbytes}")
    return data


class _Parser:
    """Walks through the header once; reads the file piece by piece, only as far as needed."""

    def __init__(self, path: Path, file: BufferedReader, size: int) -> None:
        self._path = path
        self._file = file
        self._size = size
        self._data = b""
        self._at = 0

    def parse(self) -> GgufHeader:
        magic = self._take(4)
        version = self._scalar(4)
        if magic != MAGIC:
            raise _damaged(self._path, "it does not start with GGUF")
        if version not in _VERSIONS:
            raise self._other_version(version)
        num_tensors = self._count(_MAX_TENSORS, "tensors", least_bytes=33)
        num_keys = self._count(_MAX_KEYS, "keys", least_bytes=14)
        metadata: dict[str, Any] = {}
        for _ in range(num_keys):
            key = self._key()
            if key in metadata:
                raise _damaged(self._path, f"it has the key {key} twice")
            metadata[key] = self._value(key)
        alignment = self._alignment(metadata)
        tensors: dict[str, StoredTensor] = {}
        for _ in range(num_tensors):
            tensor = self._tensor(alignment)
            if tensor.name in tensors:
                raise _damaged(self._path, f"it has the tensor {tensor.name} twice")
            tensors[tensor.name] = tensor
        start = -(-self._at // alignment) * alignment
        return GgufHeader(self._path, metadata, self._placed(tensors, start))

    def _take(self, count: int) -> bytes:
        end = self._at + count
        self._need(end)
        data = self._data[self._at : end]
        self._at = end
        return data

    def _need(self, end: int) -> None:
        """Have the first `end` bytes of the file at hand."""
        if end <= len(self._data):
            return
        if end > self._size:
            raise _damaged(self._path, f"its header claims {end} bytes, the file has {self._size}")
        if end > _MAX_HEADER_BYTES:
            raise _damaged(self._path, f"its header is longer than {_MAX_HEADER_BYTES >> 20} MiB")
        wanted = min(max(end, 2 * len(self._data), _FIRST_READ), self._size, _MAX_HEADER_BYTES)
        self._data += self._file.read(wanted - len(self._data))
        if end > len(self._data):
            raise _damaged(self._path, "it ends inside its header")

    def _scalar(self, kind: int) -> Any:
        form = _SCALARS[kind]
        return form.unpack(self._take(form.size))[0]

    def _count(self, most: int, what: str, least_bytes: int) -> int:
        count: int = self._scalar(10)
        if count > min(most, self._size // least_bytes):
            raise _damaged(self._path, f"it claims {count} {what} in {self._size} bytes")
        return count

    def _key(self) -> str:
        length = self._scalar(10)
        raw = self._take(length) if length <= _MAX_NAME else b""
        if not _KEY.fullmatch(raw):
            raise _damaged(self._path, f"a key of its metadata is {raw[:40]!r}, {length} bytes")
        return raw.decode("ascii")

    def _value(self, key: str) -> Any:
        kind = self._scalar(4)
        if kind in _SCALARS:
            return self._scalar(kind)
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            raise _damaged(self._path, f"{key} is of the unknown type {kind}")
        return self._array(key)

    def _text(self) -> str | LongValue:
        length, start = self._scalar(10), self._at
        if length > _MAX_TEXT:
            self._skip(length)
            return LongValue(_STRING, 1, start - 8, length + 8)
        return self._take(length).decode("utf-8", "replace")

    def _array(self, key: str) -> list[Any] | LongValue:
        kind, count = self._scalar(4), self._scalar(10)
        start = self._at
        if kind == _STRING:
            self._skip_strings(key, count)
        elif kind in _SCALARS:
            if count <= _MAX_SHORT_ARRAY:
                return _unpack(kind, self._take(count * _SCALARS[kind].size))
            self._skip(count * _SCALARS[kind].size)
        else:
            raise _damaged(self._path, f"{key} is an array of the type {kind}")
        return LongValue(kind, count, start, self._at - start)

    def _skip(self, nbytes: int) -> None:
        self._need(self._at + nbytes)
        self._at += nbytes

    def _skip_strings(self, key: str, count: int) -> None:
        if count > (self._size - self._at) // _LENGTH.size:
            raise _damaged(self._path, f"{key} claims {count} strings")
        at, data, length_at = self._at, self._data, _LENGTH.unpack_from
        # The only long loop of the header, hundreds of thousands of tokens: local names only.
        for _ in range(count):
            if at + 8 > len(data):
                self._need(at + 8)
                data = self._data
            at += 8 + length_at(data, at)[0]
        self._skip(at - self._at)

    def _alignment(self, metadata: Mapping[str, Any]) -> int:
        value = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if type(value) is not int or not 1 <= value <= _MAX_ALIGNMENT or value & (value - 1):
            raise _damaged(self._path, f"general.alignment = {value!r} is not a power of two")
        return value

    def _tensor(self, alignment: int) -> StoredTensor:
        """One description; `offset` still counts from the start of the data."""
        length = self._scalar(10)
        name = self._take(length).decode("utf-8", "replace") if length <= _MAX_NAME else ""
        if not name or not name.isprintable():
            raise _damaged(self._path, f"it holds a tensor of the name {name[:40]!r}")
        num_dimensions = self._scalar(4)
        if not 1 <= num_dimensions <= _MAX_DIMENSIONS:
            raise _damaged(self._path, f"tensor {name!r} has {num_dimensions} dimensions")
        # The first dimension is the one whose numbers lie side by side.
        shape = tuple(self._scalar(10) for _ in range(num_dimensions))[::-1]
        number, offset = self._scalar(4), self._scalar(10)
        if number not in TYPES:
            raise self._other_type(name, number)
        kind = TYPES[number]
        per_block, _ = BLOCK_TYPES.get(kind, (1, 0))
        if 0 in shape or shape[-1] % per_block:
            raise _damaged(self._path, f"tensor {name!r} of type {kind} has shape {list(shape)}")
        nbytes = stored_bytes(kind, shape)
        if nbytes > self._size or offset % alignment:
            raise _damaged(self._path, f"tensor {name!r}: {nbytes} bytes at {offset}")
        return StoredTensor(name, self._path, kind, shape, offset, nbytes)

    def _placed(self, tensors: Mapping[str, StoredTensor], start: int) -> dict[str, StoredTensor]:
        """The tensors with places in the file; none may reach beyond it or into another."""
        placed = [replace(tensor, offset=start + tensor.offset) for tensor in tensors.values()]
        end = start
        for tensor in sorted(placed, key=lambda item: item.offset):
            if tensor.offset < end:
                raise _damaged(self._path, f"tensor {tensor.name!r} overlaps another")
            end = tensor.offset + tensor.nbytes
        if end > self._size and tensors:
            raise _damaged(self._path, f"its tensors end at {end}, the file has {self._size} bytes")
        return {tensor.name: tensor for tensor in placed}

    def _other_version(self, version: int) -> UnsupportedModelError:
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        what = "of a big-endian machine" if swapped in _VERSIONS else f"of version {version}"
        return UnsupportedModelError(
            f"{self._path} is a GGUF file {what}, which gptdesk cannot read.",
            "Download the model again: files of version 2 and 3 for ordinary machines are read.",
        )

    def _other_type(self, name: str, number: int) -> UnsupportedModelError:
        return UnsupportedModelError(
            f"{self._path}: tensor {name} is stored as {_type_name(number)}, "
            "which gptdesk cannot read.",
            f"Look for a file of this model in one of these: {', '.join(sorted(TYPES.values()))}.",
        )


def _unpack(kind: int, data: bytes) -> list[Any]:
    return [item for (item,) in _SCALARS[kind].iter_unpack(data)]


def _type_name(number: int) -> str:
    # Imported where it is needed: the package brings numpy along.
    from gguf.constants import GGMLQuantizationType

    try:
        return GGMLQuantizationType(number).name
    except ValueError:
        return f"the unknown type {number}"


def _damaged(path: Path, why: str) -> CheckpointError:
    return placeholder_error(path) or CheckpointError(
        f"{path} is damaged or not a GGUF file.",
        "Download the file again; an interrupted download leaves it incomplete.",
        why,
    )


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(f"{path} cannot be read.", "Check that you may read it.", str(error))
