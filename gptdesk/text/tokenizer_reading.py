"""Reading a tokenizer's files: bounded in size, and no panic of the Rust library gets through."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gptdesk.errors import TokenizerError

MAX_VOCABULARY_BYTES = 64 << 20  # twice the largest in use (a vocabulary of 262,144)
MAX_SETTINGS_BYTES = 4 << 20


@contextlib.contextmanager
def rust_border(path: Path) -> Iterator[None]:
    """Turn whatever the Rust library raises, panics included, into a `TokenizerError`."""
    try:
        yield
    except (TokenizerError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception
        raise broken(path, str(error)) from None


def broken(path: Path, why: str) -> TokenizerError:
    """The error for a tokenizer file of which `why` is wrong."""
    return TokenizerError(
        f"{path.name} in {path.parent} cannot be used: {why[:300].rstrip('.')}.",
        "Download the model's tokenizer files again.",
        why[:10_000],
    )


def read_bytes(path: Path, limit: int) -> bytes:
    """Content of a file of at most `limit` bytes.

    Raises:
        TokenizerError: it is larger, or cannot be read.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise broken(path, f"it has {size} bytes, more than the {limit} allowed")
        return path.read_bytes()
    except OSError as error:
        raise broken(path, str(error)) from error


def read_text(path: Path, limit: int) -> str:
    """Text of a UTF-8 file of at most `limit` bytes, its line ends as they are.

    Raises:
        TokenizerError: it is larger, cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(path, limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise broken(path, str(error)) from error


def read_json(path: Path, limit: int = MAX_SETTINGS_BYTES) -> dict[str, Any]:
    """A JSON object; {} when the file does not exist.

    Raises:
        TokenizerError: as `read_text`; or it holds something else.
    """
    if not path.is_file():
        return {}
    try:
        data = json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise broken(path, str(error)) from error
    if not isinstance(data, dict):
        raise broken(path, "it is not a JSON object")
    return data
