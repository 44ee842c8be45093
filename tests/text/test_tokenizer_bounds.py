"""Hostile tokenizer files: refused before the library sees them, and whatever else is survived."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as RustTokenizer
from tokenizers import models

from gptdesk.errors import TokenizerError
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.text.tokenizer_bounds import why_bad_charsmap
from tests.text import makes_of_tokenizers as makes
from tests.text import sentencepiece_for_tests as pieces

GROW = {"type": "Replace", "pattern": {"String": "x"}, "content": "x" * 10}
LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": False}
WORDS = {"type": "Split", "behavior": "Isolated", "invert": False}
AGAIN = [{"SpecialToken": {"id": "a", "type_id": 0}}] * 100
WORD_PIECE = {
    "type": "WordPiece",
    "unk_token": "a",
    "continuing_subword_prefix": "##",
    "vocab": {"a": 0},
}
HUGE = base64.b64encode(b"\0\0\0\0" + b"x" * 5000).decode()

BOMBS: dict[str, dict[str, Any]] = {
    "growing text": {"normalizer": {"type": "Sequence", "normalizers": [GROW] * 8}},
    "growing tokens": {"decoder": {"type": "Sequence", "decoders": [GROW] * 8}},
    "long prefix": {"normalizer": {"type": "Prepend", "prepend": "x" * 1_000_000}},
    "many steps": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [LEVEL] * 60}},
    "many bytes": {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [LEVEL] * 9}},
    "backtracking": {"pre_tokenizer": {**WORDS, "pattern": {"Regex": "(x+x+)+y"}}},
    "replacing": {"normalizer": {**GROW, "pattern": {"Regex": "(x*)*y"}}},
    "far strip": {"decoder": {"type": "Strip", "content": "x", "start": 1 << 60, "stop": 0}},
    "long template": {
        "post_processor": {
            "type": "TemplateProcessing",
            "single": AGAIN,
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
            "special_tokens": {"a": {"id": "a", "ids": [1], "tokens": ["a"]}},
        }
    },
    "long replacement": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": HUGE}},
    "no base64": {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "é"}},
    "long words": {"model": {**WORD_PIECE, "max_input_chars_per_word": 1 << 60}},
    "long pieces": {
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0.0], ["x" * 2000, 0.0]]}
    },
    "no model": {"model": None},
    "long added token": {"added_tokens": [{"id": 5, "content": "x" * (5 << 20)}]},
}


def tokenizer_json(**parts: Any) -> dict[str, Any]:
    vocab = {token: at for at, token in enumerate(["<unk>", "a", "b", "ab", "x", "xx"])}
    model = models.BPE(vocab=vocab, merges=[("a", "b"), ("x", "x")], unk_token="<unk>")
    data: dict[str, Any] = json.loads(RustTokenizer(model).to_str())
    return {**data, **parts}


def load(folder: Path, data: Any) -> Tokenizer:
    return Tokenizer.from_folder(makes.json_file(folder, "tokenizer.json", data))


@pytest.mark.timeout(20)  # without a bound these run for hours
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        load(tmp_path, tokenizer_json(**BOMBS[name]))


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    text = json.dumps(tokenizer_json())
    twice = text.replace('"type": "BPE"', '"type": "BPE", "dropout": 0.5')
    (tmp_path / "tokenizer.json").write_text(twice, "utf-8")
    with pytest.raises(TokenizerError, match="occurs twice"):
        Tokenizer.from_folder(tmp_path)


def test_ids_do_not_depend_on_chance(tmp_path: Path) -> None:
    data = tokenizer_json()
    data["model"]["dropout"] = 0.5
    tokenizer = load(tmp_path, data)
    assert {tuple(tokenizer.encode("abxx" * 20)) for _ in range(5)} == {(3, 5) * 20}


def test_an_added_token_without_a_row_of_the_embedding_is_left_out(tmp_path: Path) -> None:
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    data = tokenizer_json(added_tokens=[{"id": 6, "content": "[PAD]", "special": True, **flags}])
    makes.json_file(tmp_path, "tokenizer.json", data)
    makes.settings(tmp_path, pad_token="[PAD]", eos_token="<end>")
    assert Tokenizer.from_folder(tmp_path, {"vocab_size": 6}).vocab_size == 6
    assert Tokenizer.from_folder(tmp_path, {"vocab_size": 9}).vocab_size == 8


def test_pieces_of_the_wrong_kinds_are_named(tmp_path: Path) -> None:
    for text in (b"", b"\xff" * 50, b"IQ== 0\nIg== 1\n", b"hello", pieces.model_bytes("t5")[:-9]):
        (tmp_path / "tokenizer.model").write_bytes(text)
        with pytest.raises(TokenizerError, match=r"tokenizer\.model"):
            Tokenizer.from_folder(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"added_tokens_decoder": {"x": {"content": "a"}}},
        {"added_tokens_decoder": {"7": {"content": 5}}},
        {"added_tokens_decoder": {"7": "a"}},
    ],
)
def test_malformed_added_tokens_are_named(tmp_path: Path, values: dict[str, Any]) -> None:
    makes.json_file(tmp_path, "tokenizer.json", tokenizer_json())
    makes.settings(tmp_path, **values)
    with pytest.raises(TokenizerError, match="added_tokens_decoder"):
        Tokenizer.from_folder(tmp_path)


def survives(folder: Path) -> None:
    """Whatever the files say: a tokenizer that works, or an error in words."""
    try:
        tokenizer = Tokenizer.from_folder(folder, {"vocab_size": 700})
        for text in ("", " Hello\n灯 e\u0301<s>", "x" * 200):
            tokenizer.decode(tokenizer.encode(text))
            tokenizer.decode(tokenizer.encode_plain(text))
    except TokenizerError as error:
        assert error.title  # noqa: PT017 - both outcomes are right
        assert error.hint  # noqa: PT017


DAMAGE = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(["flip", "cut", "put", "end"])),
    min_size=1,
    max_size=6,
)


def damaged(data: bytes, damage: list[tuple[float, str]]) -> bytes:
    for place, how in damage:
        at = int(place * len(data))
        if how == "flip" and data:
            data = data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]
        elif how == "cut":
            data = data[:at] + data[at + 3 :]
        elif how == "put":
            data = data[:at] + b"\xff\x00\x7f" + data[at:]
        elif how == "end":
            data = data[: max(at, len(data) // 2)]
    return data


@pytest.mark.parametrize(
    ("make", "name"),
    [
        ("llama pieces", "tokenizer.model"),
        ("t5 pieces", "spiece.model"),
        ("word pieces", "vocab.txt"),
        ("qwen2 vocabulary", "merges.txt"),
        ("qwen2 vocabulary", "vocab.json"),
        ("swallowing tokens", "tokenizer.json"),
        ("swallowing tokens", "tokenizer_config.json"),
        ("legacy added tokens", "added_tokens.json"),
    ],
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=DAMAGE)
def test_damaged_files_are_survived(
    tmp_path: Path, make: str, name: str, damage: list[tuple[float, str]]
) -> None:
    folder = tmp_path / "model"
    if not folder.exists():
        makes.MAKES[make](folder)
        (folder / name).rename(tmp_path / "whole")
    (folder / name).write_bytes(damaged((tmp_path / "whole").read_bytes(), damage))
    survives(folder)


SETTINGS_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "chat_template.json",
)
KEYS = (
    "added_tokens_decoder",
    "eos_token",
    "eos_token_id",
    "chat_template",
    "tokenizer_class",
    "additional_special_tokens",
    "add_bos_token",
    "unk_token",
    "extra_ids",
    "7",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(SETTINGS_FILES),
    key=st.sampled_from(KEYS),
    value=JSON,
)
def test_settings_of_any_type_are_survived(tmp_path: Path, name: str, key: str, value: Any) -> None:
    folder = tmp_path / "model"
    for path in folder.glob("*.json"):
        path.unlink()
    pieces.write(folder / "tokenizer.model", "unigram")
    makes.json_file(folder, name, {key: value})
    survives(folder)


@given(st.binary(max_size=64))
def test_any_table_of_replacements_is_judged(table: bytes) -> None:
    assert isinstance(why_bad_charsmap(table), str)
