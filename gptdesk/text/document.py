"""Reads and writes text files without changing what the writer did not change.

Encoding, byte order mark and line ends of a file are kept. In memory every line ends with a new
line character; a file that mixes line ends keeps each of them on the lines that stay as they were
above and below the edits, and lines in between get the file's most common one. Nothing is ever
written lossily: text that the file's encoding cannot hold is refused until it is made UTF-8.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from gptdesk import atomic
from gptdesk.errors import DocumentError
from gptdesk.text.encodings import decode, encode_with

MAX_BYTES = 64 * 2**20

_LINE_END = re.compile("\r\n|\n|\r")
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class DocumentChangedError(DocumentError):
    """The file on the disk is not the one that was loaded or last saved."""


class EncodingLossError(DocumentError):
    """The text holds characters that the file's encoding lacks; `as_utf8` solves it."""


@dataclass(frozen=True)
class Document:
    r"""The text of a file and how it is written there.

    Args:
        text: every line ends with `\n`.
        encoding: Python's name of the encoding.
        newline: what ends a line in the file; where they are mixed, the most common one.
        bom: whether the file starts with a byte order mark.
        digest: SHA-256 of the file's bytes; "" for a text that is in no file yet.
        mixed: the text with its own line ends, where the file mixes them.
    """

    text: str = ""
    encoding: str = "utf-8"
    newline: str = "\n"
    bom: bool = False
    digest: str = ""
    mixed: str = ""


def read_document(path: str | Path) -> str:
    r"""Return the text of a file of any sane encoding, lines ended by `\n`.

    Raises:
        DocumentError: as `load_document`.
    """
    return load_document(path).text


def load_document(path: str | Path) -> Document:
    """Read a text file.

    Raises:
        DocumentError: it is missing, not readable, no regular file, larger than 64 MB, binary, or
            in no encoding that can be recognised.
    """
    path = Path(path)
    return document_from(_read_bytes(path), str(path))


def document_from(data: bytes, name: str) -> Document:
    """The text of a file's bytes; `name` is what to call it in an error.

    Raises:
        DocumentError: it is binary, or in no encoding that can be recognised.
    """
    raw, encoding, bom = decode(data, name)
    ends = Counter(_LINE_END.findall(raw))
    newline = ends.most_common(1)[0][0] if ends else "\n"
    return Document(
        text=_LINE_END.sub("\n", raw),
        encoding=encoding,
        newline=newline,
        bom=bom,
        digest=_digest(data),
        mixed=raw if len(ends) > 1 else "",
    )


def read_limited(file: BinaryIO, name: str) -> bytes:
    """All bytes of an open file or pipe, which may never end.

    Raises:
        DocumentError: there are more than 64 MB.
    """
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _too_large(name)
    return data


def save_document(
    path: str | Path, document: Document, expected_digest: str | None = None
) -> Document:
    """Write a document in one step and return it with the digest of what was written.

    Args:
        path: where to; a symbolic link is followed.
        document: text, encoding, byte order mark and line ends to write.
        expected_digest: what the file is believed to hold; None or "" overwrites whatever it is.

    Raises:
        DocumentChangedError: the file holds something else than expected.
        EncodingLossError: the encoding lacks characters of the text.
        DocumentError: the place cannot be written. The old file is untouched in all cases.
    """
    path = Path(path)
    data = to_bytes(document, str(path))
    _check_target(path)
    if expected_digest and digest_of(path) not in {"", expected_digest, _digest(data)}:
        raise DocumentChangedError(
            f"{path.name} was changed by another program since it was opened.",
            "Overwrite it, load it again, or save under another name.",
            str(path),
        )
    try:
        atomic.write_bytes(path, data)
    except OSError as error:
        raise _write_error(path, error) from error
    raw = data_text(document) if document.mixed else ""
    return replace(document, digest=_digest(data), mixed=raw)


def as_utf8(document: Document) -> Document:
    """The same document, to be written as UTF-8, which holds every character."""
    return replace(document, encoding="utf-8", bom=False)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes; "" where there is none that could be read."""
    try:
        return _digest(_read_bytes(path))
    except DocumentError:
        return ""


def to_bytes(document: Document, name: str = "") -> bytes:
    """The bytes of a document's file.

    Raises:
        EncodingLossError: the encoding lacks characters of the text.
    """
    try:
        return encode_with(data_text(document), document.encoding, bom=document.bom)
    except UnicodeEncodeError as error:
        raise EncodingLossError(
            f"{name or 'The text'} holds characters that its encoding, {document.encoding}, lacks.",
            "Save it as UTF-8, which holds every character.",
            str(error),
        ) from error


def data_text(document: Document) -> str:
    """The text with the line ends of its file."""
    if not document.mixed:
        return document.text.replace("\n", document.newline)
    return _with_own_ends(document)


def _with_own_ends(document: Document) -> str:
    """Give lines at the start and the end that did not change their own line ends back."""
    old = _LINE_END.split(document.mixed)
    ends = _LINE_END.findall(document.mixed)
    new = document.text.split("\n")
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    wanted = [document.newline] * (len(new) - 1)
    kept = min(head, len(wanted), len(ends))
    wanted[:kept] = ends[:kept]
    # The tail's lines have tail - 1 ends between them and one before the first of them.
    kept = min(tail, len(wanted) - kept, len(ends) - kept)
    if kept > 0:
        wanted[-kept:] = ends[-kept:]
    for index in range(len(wanted) - 1):
        if wanted[index] == "\r" and not new[index + 1] and wanted[index + 1] == "\n":
            wanted[index] = "\n"  # or the two would read as one line end
    return "".join(line + end for line, end in zip(new, [*wanted, ""], strict=True))


def _read_bytes(path: Path) -> bytes:
    # O_NONBLOCK: opening a named pipe would wait for a writer, for ever.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        _refuse_special(path, path.stat())
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            _refuse_special(path, os.fstat(descriptor))
            return read_limited(file, str(path))
    except (OSError, ValueError) as error:
        raise _read_error(path, error) from error


def _refuse_special(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for test, name in _KINDS if test(status.st_mode)), "no ordinary file")
        raise DocumentError(f"{path} is {kind}, not a text file.", "Choose a text file.")
    if status.st_size > MAX_BYTES:
        raise _too_large(str(path))


def _too_large(name: str) -> DocumentError:
    return DocumentError(
        f"{name} is larger than {MAX_BYTES // 2**20} MB.", "Split it into smaller files first."
    )


def _read_error(path: Path, error: OSError | ValueError) -> DocumentError:
    if isinstance(error, FileNotFoundError):
        return DocumentError(f"There is no file {path}.", "Check its name and place.", str(error))
    if isinstance(error, PermissionError):
        return DocumentError(
            f"{path} may not be read.", "Ask for permission to read it.", str(error)
        )
    return DocumentError(f"{path} cannot be read.", "Check the disk and the name.", str(error))


def _check_target(path: Path) -> None:
    """Refuse what an atomic replacement would trample on."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return  # not there yet, or writing will say what is wrong
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for test, name in _KINDS if test(status.st_mode)), "no ordinary file")
        raise DocumentError(f"{path} is {kind}, not a text file.", "Save under another name.")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise DocumentError(f"{path} is write-protected.", "Save under another name.")


def _write_error(path: Path, error: OSError) -> DocumentError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        hint = "Make room on the disk or save elsewhere; the text is still in the window."
        return DocumentError(f"There is no room on the disk for {path}.", hint, str(error))
    hint = "Save under another name or in another folder; the text is still in the window."
    return DocumentError(f"{path} cannot be written.", hint, str(error))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
