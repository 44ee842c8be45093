"""The keys `tokenizer.*` that llama.cpp's converter writes for a tokenizer in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import TokenType
from sentencepiece import sentencepiece_model_pb2

_KEY = "tokenizer.ggml."
_ROLES = {"bos": "bos_token", "eos": "eos_token", "unknown": "unk_token", "padding": "pad_token"}


def bpe_keys(folder: Path, pre: str = "gpt-2", rows: int | None = None) -> dict[str, Any]:
    """Byte-level BPE out of tokenizer.json; `rows` of the embedding, if there are more than tokens."""
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    added = {token["id"]: token for token in data["added_tokens"]}
    by_id = {at: token for token, at in data["model"]["vocab"].items()}
    by_id |= {at: token["content"] for at, token in added.items()}
    size = rows or max(by_id) + 1
    return {
        f"{_KEY}model": "gpt2",
        f"{_KEY}pre": pre,
        f"{_KEY}tokens": [by_id.get(at, f"[PAD{at}]") for at in range(size)],
        f"{_KEY}token_type": [_type(at, added, by_id) for at in range(size)],
        f"{_KEY}merges": [" ".join(merge) for merge in data["model"]["merges"]],
        **_roles(folder, {token: at for at, token in by_id.items()}),
    }


def sentencepiece_keys(folder: Path, **more: Any) -> dict[str, Any]:
    """A vocabulary with scores, out of tokenizer.model."""
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString((folder / "tokenizer.model").read_bytes())
    user_defined = int(TokenType.USER_DEFINED)
    tokens = [
        piece.piece.replace("▁", " ") if piece.type == user_defined else piece.piece
        for piece in model.pieces
    ]
    return {
        f"{_KEY}model": "llama",
        f"{_KEY}pre": "default",
        f"{_KEY}tokens": tokens,
        f"{_KEY}scores": [piece.score for piece in model.pieces],
        f"{_KEY}token_type": [piece.type for piece in model.pieces],
        **_roles(folder, {piece.piece: at for at, piece in enumerate(model.pieces)}),
        **{f"{_KEY}{name}": value for name, value in more.items()},
    }


def write_vocabulary(
    path: Path, keys: dict[str, Any], architecture: str = "llama", rows: int | None = None
) -> Path:
    """A file with no model but an embedding one wide, with a row for each token or with `rows`."""
    writer = gguf.GGUFWriter(path, architecture)
    add_keys(writer, keys)
    shape = (rows or len(keys[f"{_KEY}tokens"]), 1)
    writer.add_tensor("token_embd.weight", np.zeros(shape, np.float32))
    finish(writer)
    return path


def add_keys(writer: gguf.GGUFWriter, keys: dict[str, Any]) -> None:
    """Add metadata in the types that the converter uses; None is left out."""
    for key, value in keys.items():
        if value is None:
            continue
        if isinstance(value, bool):
            writer.add_bool(key, value)
        elif isinstance(value, int):
            writer.add_uint32(key, value)
        elif isinstance(value, float):
            writer.add_float32(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_array(key, value)


def finish(writer: gguf.GGUFWriter) -> None:
    """Write everything and close."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _type(at: int, added: dict[int, Any], by_id: dict[int, str]) -> int:
    if at not in by_id:
        return int(TokenType.UNUSED)
    if at not in added:
        return int(TokenType.NORMAL)
    return int(TokenType.CONTROL if added[at]["special"] else TokenType.USER_DEFINED)


def _roles(folder: Path, ids: dict[str, int]) -> dict[str, Any]:
    settings = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    texts = {key: settings.get(name) for key, name in _ROLES.items()}
    return {
        **{f"{_KEY}{key}_token_id": ids.get(text) for key, text in texts.items() if text},
        "tokenizer.chat_template": settings.get("chat_template"),
    }
