"""The directory of a zip file whose members are stored as they are, as `torch.save` writes it.

Far stricter than the format allows (APPNOTE.TXT of PKWARE, sections 4.3 to 4.5): members must not
be compressed or encrypted, must not overlap, and must be told of in the same way by the directory
and by the header in front of each. So two programs that read the file see the same, and no member
is larger than the file.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_DIRECTORY_BYTES = 16 << 20
_MAX_NAME = 500
_END = struct.Struct("<4s4H2IH")
_END_64_PLACE = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_LOCAL = struct.Struct("<4s5H3I2H")
_IN_EXTRA = 0xFFFFFFFF  # a field of 32 bits whose value is in the zip64 extra field
_ENCRYPTED = 1


class ZipError(ValueError):
    """Why a file is not such a zip file."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where the bytes of one member lie in the file."""

    offset: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    header: int
    nbytes: int


def read_directory(path: Path) -> dict[str, Member]:
    """The members of a zip file by name, in the order in which they lie there.

    Raises:
        ZipError: it is none, is damaged, or uses what `torch.save` does not.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    members: dict[str, Member] = {}
    with path.open("rb") as file:
        start, data = _directory(file, size)
        entries = sorted(_entries(data), key=lambda entry: entry.header)
        position = 0
        for entry in entries:
            name = entry.name.decode("utf-8", "replace")
            if entry.header < position or name in members:
                raise ZipError(f"its member {name[:60]!r} overlaps another or is there twice")
            offset = _data_offset(file, entry)
            position = offset + entry.nbytes
            if position > start:
                raise ZipError(f"its member {name[:60]!r} is longer than the file")
            members[name] = Member(offset, entry.nbytes)
    return members


def _directory(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Where the directory starts, and its bytes."""
    place = size - _END.size
    end = _unpack(file, place, _END, b"PK\5\6", "the end of its directory")
    length, start = end[5], end[6]
    file.seek(max(0, place - _END_64_PLACE.size))
    if file.read(4) == b"PK\6\7":  # always there in large files, and in small ones of torch.save
        locator = _unpack(file, place - _END_64_PLACE.size, _END_64_PLACE, b"PK\6\7", "its end")
        place = locator[2]
        wide = _unpack(file, place, _END_64, b"PK\6\6", "the end of its directory")
        if length not in (wide[8], _IN_EXTRA) or start not in (wide[9], _IN_EXTRA):
            raise ZipError("it has two directories")
        length, start = wide[8], wide[9]
    if length > min(_MAX_DIRECTORY_BYTES, size) or start + length != place:
        raise ZipError(f"its directory claims {length} bytes from byte {start} of {size}")
    file.seek(start)
    return start, file.read(length)


def _entries(data: bytes) -> Iterator[_Entry]:
    position = 0
    while position < len(data):
        if position + _ENTRY.size > len(data):
            raise ZipError("its directory is cut short")
        fields = _ENTRY.unpack_from(data, position)
        if fields[0] != b"PK\1\2":
            raise ZipError("its directory is damaged")
        flags, method, packed, nbytes, name_length, extra_length, comment = (
            fields[i] for i in (3, 4, 8, 9, 10, 11, 12)
        )
        name_end = position + _ENTRY.size + name_length
        name = data[name_end - name_length : name_end]
        extra = data[name_end : name_end + extra_length]
        if method or flags & _ENCRYPTED:
            raise ZipError(f"its member {name[:60]!r} is compressed or encrypted")
        values = _widened([nbytes, packed, fields[16]], extra)
        if values[0] != values[1] or not 0 < name_length <= _MAX_NAME:
            raise ZipError(f"its member {name[:60]!r} has two sizes or no sane name")
        yield _Entry(name, values[2], values[0])
        position = name_end + extra_length + comment


def _widened(values: list[int], extra: bytes) -> list[int]:
    """Size, packed size and place, with those of 64 bits taken from the extra field."""
    wide: Iterator[tuple[int]] = iter(())
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            body = extra[position + 4 : position + 4 + length]
            wide = struct.iter_unpack("<Q", body[: len(body) // 8 * 8])
        position += 4 + length
    try:
        return [next(wide)[0] if value == _IN_EXTRA else value for value in values]
    except (StopIteration, RuntimeError) as error:
        raise ZipError("a size in its directory is missing") from error


def _data_offset(file: BinaryIO, entry: _Entry) -> int:
    """The first byte behind a member's own header, which must agree with the directory."""
    what = f"the header of its member {entry.name[:60]!r}"
    fields = _unpack(file, entry.header, _LOCAL, b"PK\3\4", what)
    if file.read(fields[9]) != entry.name or fields[3] or fields[2] & _ENCRYPTED:
        raise ZipError(f"{what} contradicts its directory")
    return entry.header + _LOCAL.size + int(fields[9]) + int(fields[10])


def _unpack(
    file: BinaryIO, place: int, form: struct.Struct, sign: bytes, what: str
) -> tuple[int, ...]:
    data = b""
    if 0 <= place < 1 << 62:
        file.seek(place, os.SEEK_SET)
        data = file.read(form.size)
    if len(data) < form.size or not data.startswith(sign):
        raise ZipError(f"{what} is missing")
    return form.unpack(data)
