"""The character tokenizer of nanoGPT's data scripts is read without being unpickled."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from gptdesk.errors import TokenizerError
from gptdesk.text.tokenizer import Tokenizer

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak. 灯塔🙂é"
CHARACTERS = sorted(set(TEXT))
STOI = {character: i for i, character in enumerate(CHARACTERS)}


def written(folder: Path, content: Any) -> Path:
    (folder / "meta.pkl").write_bytes(pickle.dumps(content))
    return folder


def test_characters_and_ids(tmp_path: Path) -> None:
    meta = {"vocab_size": len(STOI), "stoi": STOI, "itos": dict(enumerate(CHARACTERS))}
    tokenizer = Tokenizer.from_folder(written(tmp_path, meta), {"vocab_size": 64})
    ids = tokenizer.encode(TEXT)
    assert ids == [STOI[character] for character in TEXT]
    assert tokenizer.decode(ids) == TEXT
    assert tokenizer.encode("FQi") == [STOI["F"], STOI["i"]], "unknown characters are left out"
    stream = tokenizer.stream()
    assert "".join(stream.push(i) for i in ids) + stream.flush() == TEXT


def test_a_vocabulary_of_another_model(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="has ids up to"):
        Tokenizer.from_folder(written(tmp_path, {"stoi": STOI}), {"vocab_size": 3})


class Acting:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"stoi": {}},
        {"stoi": {"ab": 0}},
        {"stoi": {"a": -1}},
        {"stoi": {"a": "0"}},
        {"stoi": {"a": 0, "b": 0}},
        {"stoi": {"a": 10**12}},
    ],
)
def test_what_is_no_vocabulary(tmp_path: Path, content: Any) -> None:
    with pytest.raises(TokenizerError, match=r"meta\.pkl"):
        Tokenizer.from_folder(written(tmp_path, content), {})


def test_code_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="mkdir"):
        Tokenizer.from_folder(written(tmp_path, {"stoi": Acting(tmp_path / "executed")}), {})
    assert not (tmp_path / "executed").exists()
