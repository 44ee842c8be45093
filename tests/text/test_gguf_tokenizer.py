"""Tokenizers in GGUF files give the ids of the tokenizers that they were made from."""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer as Rust
from tokenizers import decoders, models, normalizers, pre_tokenizers

from gptdesk.checkpoints.gguf_header import read_gguf_header
from gptdesk.checkpoints.gguf_vocabulary import check_vocabulary, read_vocabulary, tokenizer_files
from gptdesk.errors import TokenizerError
from gptdesk.text.bpe_splitting import SPLITTINGS
from gptdesk.text.tokenizer import Tokenizer
from tests.helpers.checkpoints import TOKENIZER_TEXT
from tests.helpers.gguf_tokenizers import bpe_keys, sentencepiece_keys, write_vocabulary
from tests.text import makes_of_tokenizers as folders
from tests.text import tokenizers_for_tests as makes

TEXTS = [
    *makes.AWKWARD,
    "12345 1.000.000 ２０２６ x1y22z333",
    "camelCase HTTPServer ÜBER Straße ǅ",
    "It'S WE'RE you'd ’tis",
    "a/b//c\n/\n\t x\u3000y",
    "<|im_start|>system\n  two spaces<|im_end|>\n",
]


def read(path: Path) -> Tokenizer:
    vocabulary = read_vocabulary(read_gguf_header(path))
    return Tokenizer.from_parts(
        path,
        vocabulary.to_rust(),
        vocabulary.end_ids,
        vocabulary.special_texts,
        vocabulary.chat_template,
    )


def reference(folder: Path) -> Any:
    from transformers import AutoTokenizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return AutoTokenizer.from_pretrained(str(folder))


def digits_apart(folder: Path) -> Path:
    """SmolLM's kind."""
    tokenizer = Rust(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TOKENIZER_TEXT, makes.bpe_trainer())
    return makes.write(folder, tokenizer, eos_token="<|endoftext|>")


def qwen(folder: Path) -> Path:
    words = folders.LLAMA3_WORDS.replace("{1,3}", "")
    return folders.byte_level(folder, words, normalizers.NFC())


BPE: dict[str, Callable[[Path], Path]] = {
    "gpt-2": makes.byte_level,
    "smollm": digits_apart,
    "llama-bpe": lambda folder: folders.byte_level(folder, folders.LLAMA3_WORDS),
    "qwen2": qwen,
}


@pytest.mark.parametrize("pre", BPE)
def test_byte_level(pre: str, tmp_path: Path) -> None:
    folder = BPE[pre](tmp_path / "original")
    keys = {**bpe_keys(folder, pre), "tokenizer.ggml.add_bos_token": False}
    ours = read(write_vocabulary(tmp_path / "model.gguf", keys))
    theirs = reference(folder)
    for text in TEXTS:
        ids = ours.encode(text)
        assert ids == theirs(text)["input_ids"], text
        assert ours.decode(ids, skip_special=False) == theirs.decode(ids)
    assert ours.end_ids >= {theirs.eos_token_id}
    assert ours.vocab_size == len(theirs)


@pytest.mark.parametrize(
    ("make", "more"),
    [
        (lambda f: folders.llama_pieces(f, legacy=True, add_bos_token=True), {}),
        (lambda f: folders.llama_pieces(f, legacy=True), {"add_bos_token": False}),
        (lambda f: folders.gemma_pieces(f, add_bos_token=True), {"add_space_prefix": False}),
    ],
)
def test_sentencepiece(make: Callable[[Path], Path], more: dict[str, Any], tmp_path: Path) -> None:
    folder = make(tmp_path / "original")
    theirs = reference(folder)
    keys = sentencepiece_keys(folder, bos_token_id=theirs.bos_token_id, **more)
    ours = read(write_vocabulary(tmp_path / "model.gguf", keys))
    for text in TEXTS:
        assert ours.encode(text) == theirs(text)["input_ids"], text


def test_saved_for_the_reference(tmp_path: Path) -> None:
    folder = BPE["llama-bpe"](tmp_path / "original")
    template = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    keys = {**bpe_keys(folder, "llama-bpe"), "tokenizer.ggml.bos_token_id": 1}
    path = write_vocabulary(tmp_path / "model.gguf", {**keys, "tokenizer.chat_template": template})
    (tmp_path / "saved").mkdir()
    for name, text in tokenizer_files(read_gguf_header(path)).items():
        (tmp_path / "saved" / name).write_text(text, "utf-8")
    ours, theirs = read(path), reference(tmp_path / "saved")
    for text in TEXTS:
        assert theirs(text)["input_ids"] == ours.encode(text)
    messages = [{"role": "user", "content": "Good evening."}]
    rendered = ours.apply_chat_template(messages)
    assert rendered == theirs.apply_chat_template(messages, tokenize=False)
    assert rendered.startswith("<|im_start|>")
    again = Tokenizer.from_folder(tmp_path / "saved")
    assert (again.encode("a b"), again.end_ids) == (ours.encode("a b"), ours.end_ids)


def test_frames(tmp_path: Path) -> None:
    keys = {**bpe_keys(BPE["gpt-2"](tmp_path / "original")), "tokenizer.ggml.bos_token_id": 1}
    bare = read(write_vocabulary(tmp_path / "a.gguf", keys)).encode("lamp")
    for pre, more, expected in (
        ("gpt-2", {"add_bos_token": True}, [1, *bare]),
        ("gpt-2", {"add_bos_token": True, "add_eos_token": True}, [1, *bare, 0]),
        ("llama-bpe", {}, [1, *bare]),
        ("llama-bpe", {"add_bos_token": False}, bare),
    ):
        changed = {f"tokenizer.ggml.{name}": value for name, value in more.items()}
        changed["tokenizer.ggml.pre"] = pre
        assert (
            read(write_vocabulary(tmp_path / "a.gguf", keys | changed)).encode("lamp") == expected
        )


def test_control_tokens_of_phi3_take_the_white_space_behind_them(tmp_path: Path) -> None:
    keys = sentencepiece_keys(folders.llama_pieces(tmp_path / "original"))
    for architecture, same in (("phi3", True), ("llama", False)):
        tokenizer = read(write_vocabulary(tmp_path / "a.gguf", keys, architecture))
        assert (tokenizer.encode("a</s>\n b") == tokenizer.encode("a</s>b")) is same
        assert tokenizer.encode("<s>\nb") != tokenizer.encode("<s>b")


def test_ends_of_turns(tmp_path: Path) -> None:
    """One is named as the end of a text; the others are known by their text, or by their own key."""
    keys = bpe_keys(BPE["gpt-2"](tmp_path / "original"))
    tokens = keys["tokenizer.ggml.tokens"]
    extra = {"tokenizer.ggml.eot_token_id": 7}
    ends = read(write_vocabulary(tmp_path / "a.gguf", keys | extra)).end_ids
    assert ends == {tokens.index("<|endoftext|>"), tokens.index("<|im_end|>"), 7}


def test_padding_is_no_token(tmp_path: Path) -> None:
    folder = BPE["gpt-2"](tmp_path / "original")
    size = len(bpe_keys(folder)["tokenizer.ggml.tokens"])
    tokenizer = read(write_vocabulary(tmp_path / "a.gguf", bpe_keys(folder, rows=size + 20)))
    assert tokenizer.vocab_size == size
    assert tokenizer.decode([size + 5]) == ""


def test_every_way_to_cut_loses_nothing(tmp_path: Path) -> None:
    keys = bpe_keys(BPE["gpt-2"](tmp_path / "original"))
    for pre, splitting in SPLITTINGS.items():
        keys["tokenizer.ggml.pre"] = pre
        tokenizer = read(write_vocabulary(tmp_path / "a.gguf", keys))
        for text in TEXTS:
            written = unicodedata.normalize("NFC", text) if splitting.composed else text
            ids = tokenizer.encode_plain(text)
            assert tokenizer.decode(ids, skip_special=False) == written, pre


def test_words_of_each_way_to_cut() -> None:
    text = "HTTPServer's 12345\n\n  x/y"
    expected = {
        "gpt-2": ["HTTPServer", "'s", " 12345", "\n\n ", " x", "/", "y"],
        "smollm": ["HTTPServer", "'s", " ", "1", "2", "3", "4", "5", "\n\n ", " x", "/", "y"],
        "llama-bpe": ["HTTPServer", "'s", " ", "123", "45", "\n\n", " ", " x", "/y"],
        "qwen2": ["HTTPServer", "'s", " ", "1", "2", "3", "4", "5", "\n\n", " ", " x", "/y"],
        "gpt-4o": ["HTTPServer's", " ", "123", "45", "\n\n", " ", " x", "/y"],
        "tekken": ["HTTPServer", "'s", " ", "1", "2", "3", "4", "5", "\n\n", " ", " x", "/y"],
    }
    for pre, words in expected.items():
        cut = SPLITTINGS[pre].pre_tokenizer().pre_tokenize_str(text)
        assert [text[start:end] for _, (start, end) in cut] == words, pre


def test_a_file_that_does_not_say_how_it_cuts(tmp_path: Path) -> None:
    keys = bpe_keys(BPE["qwen2"](tmp_path / "original"), "qwen2")
    del keys["tokenizer.ggml.pre"]
    path = write_vocabulary(tmp_path / "a.gguf", keys, "qwen2")
    assert read_vocabulary(read_gguf_header(path)).splitting == SPLITTINGS["qwen2"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "bert"}, "tokenizer.ggml.model = 'bert'"),
        ({"model": None}, "tokenizer.ggml.model = None"),
        ({"pre": "martian"}, "tokenizer.ggml.pre = 'martian'"),
        ({"pre": [1, 2]}, "tokenizer.ggml.pre = [1, 2]"),
        ({"token_type": [1, 1]}, "token_type has 2 entries"),
        ({"model": "llama"}, "scores has 0 entries"),
        ({"merges": ["a b c"]}, "merge 0"),
        ({"merges": ["qq ww"]}, "cannot be used"),
        ({"chat_template": "x" * (2 << 20)}, "longer than 1 MiB"),
        ({"chat_template": 7}, "not a text"),
    ],
)
def test_unusable(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    keys = bpe_keys(BPE["gpt-2"](tmp_path / "original"))
    for name, value in changes.items():
        keys["tokenizer.chat_template" if name == "chat_template" else f"tokenizer.ggml.{name}"] = (
            value
        )
    path = write_vocabulary(tmp_path / "a.gguf", keys)
    with pytest.raises(TokenizerError) as caught:
        read_vocabulary(read_gguf_header(path)).to_rust()
    assert told in caught.value.title


def test_more_tokens_than_rows(tmp_path: Path) -> None:
    keys = bpe_keys(BPE["gpt-2"](tmp_path / "original"))
    path = write_vocabulary(tmp_path / "a.gguf", keys, rows=5)
    with pytest.raises(TokenizerError, match=r"from 1 to 5, as token_embd\.weight has rows"):
        check_vocabulary(read_gguf_header(path))
