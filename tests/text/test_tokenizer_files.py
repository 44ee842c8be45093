"""What the files of a folder say, and how broken ones are refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from gptdesk.errors import TokenizerError
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.text.tokenizer_reading import rust_border
from tests.text import tokenizers_for_tests as makes


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return makes.byte_level(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "model"))


def write(folder: Path, name: str, data: Any) -> None:
    text = data if isinstance(data, str) else json.dumps(data)
    (folder / name).write_text(text, encoding="utf-8")


def test_sizes_and_special_ids(folder: Path) -> None:
    tokenizer = Tokenizer.from_folder(folder, {"vocab_size": 800})
    assert tokenizer.special_ids == {0, 1, 2}
    assert tokenizer.vocab_size == 800


@pytest.mark.parametrize(
    ("generation", "config", "expected"),
    [
        (None, {}, {0}),
        (None, {"eos_token_id": 2}, {0, 2}),
        (None, {"eos_token_id": [1, 2]}, {0, 1, 2}),
        ({"eos_token_id": [2]}, {"eos_token_id": 5}, {0, 2}),
        ({"eos_token_id": 99999}, {}, {0}),
        ({"eos_token_id": "x"}, {"eos_token_id": None}, {0}),
    ],
)
def test_end_ids(folder: Path, generation: Any, config: Any, expected: set[int]) -> None:
    if generation is not None:
        write(folder, "generation_config.json", generation)
    assert Tokenizer.from_folder(folder, config).end_ids == expected


def test_end_token_as_a_serialized_object(folder: Path) -> None:
    write(folder, "tokenizer_config.json", {"eos_token": {"content": "<|im_end|>"}})
    assert Tokenizer.from_folder(folder).end_ids == {2}


def test_no_end_token_at_all(folder: Path) -> None:
    (folder / "tokenizer_config.json").unlink()
    assert Tokenizer.from_folder(folder).end_ids == frozenset()


@pytest.mark.parametrize(
    "value",
    ["{{ 1 }}", [{"name": "tool", "template": "x"}, {"name": "default", "template": "{{ 1 }}"}]],
)
def test_template_in_the_settings(folder: Path, value: Any) -> None:
    write(folder, "tokenizer_config.json", {"chat_template": value})
    assert Tokenizer.from_folder(folder).apply_chat_template([]) == "1"


def test_template_in_its_own_file_comes_first(folder: Path) -> None:
    write(folder, "tokenizer_config.json", {"chat_template": "{{ 1 }}"})
    write(folder, "chat_template.jinja", "{{ 2 }}")
    assert Tokenizer.from_folder(folder).apply_chat_template([]) == "2"


def test_no_template_is_an_error_that_says_so(folder: Path) -> None:
    with pytest.raises(TokenizerError, match="no chat template"):
        Tokenizer.from_folder(folder).apply_chat_template([])


def test_truncation_and_padding_of_the_file_are_ignored(folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    data["truncation"] = {
        "direction": "Right",
        "max_length": 3,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    write(folder, "tokenizer.json", data)
    assert Tokenizer.from_folder(folder).count("one two three four five six") > 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "{}",
        "[" * 200_000,
        '{"version": "1.0", "model": {"type": "BPE"}}',
        '{"model": {"type": "Unigram", "vocab": [], "unk_id": 5}}',
    ],
)
def test_broken_files_are_named(folder: Path, text: str) -> None:
    write(folder, "tokenizer.json", text)
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        Tokenizer.from_folder(folder).encode("a")


@pytest.mark.parametrize("name", ["continuing_subword_prefix", "continuing_\\u0073ubword_prefix"])
def test_a_file_that_would_abort_the_process_is_refused(folder: Path, name: str) -> None:
    text = (folder / "tokenizer.json").read_text("utf-8")
    text = re.sub(r'"continuing_subword_prefix":\s*null,', "", text)
    text = text.replace('"type": "BPE",', f'"type": "BPE", "{name}": "x",', 1)
    assert name in text
    write(folder, "tokenizer.json", text)
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        Tokenizer.from_folder(folder)


def test_a_token_that_looks_like_an_escape_is_fine(folder: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    token = {"id": 800, "content": "\\u0041", "special": False}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    data["added_tokens"].append(token | flags)
    write(folder, "tokenizer.json", data)
    assert 800 in Tokenizer.from_folder(folder).encode("a\\u0041b")


def test_a_panic_of_the_library_is_an_error_of_ours(tmp_path: Path) -> None:
    class PanicException(BaseException):
        pass

    with (
        pytest.raises(TokenizerError, match=r"tokenizer\.json"),
        rust_border(tmp_path / "tokenizer.json"),
    ):
        raise PanicException("index out of bounds")


def test_an_interrupt_passes_the_border(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), rust_border(tmp_path):
        raise KeyboardInterrupt


@pytest.mark.parametrize("bad", ["one", "a b c", " x"])
def test_broken_merges_are_named(tmp_path: Path, bad: str) -> None:
    folder = makes.vocab_and_merges(tmp_path)
    write(folder, "merges.txt", f"#version: 0.2\n{bad}\n")
    with pytest.raises(TokenizerError, match=r"merges\.txt"):
        Tokenizer.from_folder(folder)


@pytest.mark.parametrize("vocab", [{"a": -1}, {"a": "x"}, {"a": 1 << 40}, [], {}])
def test_broken_vocabularies_are_named(tmp_path: Path, vocab: Any) -> None:
    folder = makes.vocab_and_merges(tmp_path)
    write(folder, "vocab.json", vocab)
    with pytest.raises(TokenizerError, match=r"vocab\.json|merges\.txt"):
        Tokenizer.from_folder(folder)


def test_a_folder_without_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="no tokenizer"):
        Tokenizer.from_folder(tmp_path)


def test_a_tokenizer_larger_than_the_embedding(folder: Path) -> None:
    with pytest.raises(TokenizerError, match="vocab_size"):
        Tokenizer.from_folder(folder, {"vocab_size": 700})


def test_a_huge_file_is_not_read(folder: Path) -> None:
    with (folder / "tokenizer.json").open("r+b") as file:
        file.truncate(1 << 40)  # a hole: it occupies nothing
    with pytest.raises(TokenizerError, match="bytes"):
        Tokenizer.from_folder(folder)


def test_a_file_that_is_not_utf8(folder: Path) -> None:
    (folder / "tokenizer.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        Tokenizer.from_folder(folder)
