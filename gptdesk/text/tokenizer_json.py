"""Reads tokenizer.json, and refuses what would abort the process or never end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.text.tokenizer_bounds import why_unbounded
from gptdesk.text.tokenizer_reading import MAX_VOCABULARY_BYTES, broken, read_text, rust_border

if TYPE_CHECKING:
    import tokenizers


def read_tokenizer_json(path: Path, rows: int | None = None) -> tokenizers.Tokenizer:
    """The tokenizer of a tokenizer.json.

    Args:
        path: the file.
        rows: of the model's embedding, if known. Added tokens beyond are left out: people add a
            padding token and never make room for it.

    Raises:
        TokenizerError: the file is broken, too large or hostile.
    """
    import tokenizers
    from tokenizers import models

    text = read_text(path, MAX_VOCABULARY_BYTES)
    data = _parse(path, text)
    why = why_unbounded(data)
    if why:
        raise broken(path, why)
    if rows is not None and _drop_rowless(data, rows):
        text = json.dumps(data)
    with rust_border(path):
        rust = tokenizers.Tokenizer.from_str(text)
        if isinstance(rust.model, models.BPE):
            rust.model.dropout = None  # it is for training: ids must not depend on chance
    return rust


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise broken(path, str(error)) from error
    if not isinstance(data, dict):
        raise broken(path, "it is not a JSON object")
    return data


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two entries with one name this reader would check one and the Rust library use the other.
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ValueError("a name occurs twice in one object")
    return data


def _drop_rowless(data: dict[str, Any], rows: int) -> bool:
    """Remove added tokens that the model has no row for; whether there were any."""
    added = data.get("added_tokens")
    if not isinstance(added, list):
        return False
    kept = [t for t in added if not (isinstance(t, dict) and _as_id(t.get("id")) >= rows)]
    data["added_tokens"] = kept
    return len(kept) < len(added)


def _as_id(value: Any) -> int:
    return value if type(value) is int else -1
