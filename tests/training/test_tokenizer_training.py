"""Tokenizers made here: as gptdesk and transformers read them, and faithful to any text."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.errors import GptDeskError, OptionError, TrainingError
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.config import Pattern, TokenizerSettings
from gptdesk.training.tokenizer_training import (
    END,
    Encoder,
    sample_share,
    special_tokens,
    train_tokenizer,
    write_tokenizer,
)
from tests.training import corpus

SPECIALS = special_tokens(TokenizerSettings(special_tokens=("<|mine|>",)), ["en", "pt"])
PATTERNS: tuple[Pattern, ...] = ("gpt2", "llama3", "qwen2")
TEXTS = [
    "It's 12345 o'clock.\n\n  Naïve café — 灯塔看守人！\r\n\tend",
    "<|endoftext|> is text",
    " ",
]


@pytest.fixture(scope="module", params=PATTERNS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = (corpus.document(number) for number in range(40))
    tokenizer = train_tokenizer(texts, request.param, 420, SPECIALS)
    target = tmp_path_factory.mktemp(request.param)
    write_tokenizer(tokenizer, target, 128)
    return target


@pytest.mark.parametrize("text", TEXTS)
def test_gptdesk_and_transformers_agree(folder: Path, text: str) -> None:
    ours, theirs = Tokenizer.from_folder(folder), transformers.AutoTokenizer.from_pretrained(folder)
    ids = theirs.encode(text)
    assert ours.encode(text) == ids
    assert ours.decode(ids, skip_special=False) == theirs.decode(ids) == text


def test_the_end_of_text_and_the_controls_are_known(folder: Path) -> None:
    tokenizer = Tokenizer.from_folder(folder)
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.vocab_size == 420 == len(theirs)
    assert tokenizer.end_ids == {0}
    assert theirs.eos_token == END
    assert [tokenizer.encode(name) for name in SPECIALS] == [[i] for i in range(len(SPECIALS))]
    assert "<|pt|>" in SPECIALS
    assert SPECIALS.count("<|en|>") == 1


def test_a_conversation_can_be_rendered(folder: Path) -> None:
    messages = [{"role": "user", "content": "Hello <|im_end|>"}]
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    ours = Tokenizer.from_folder(folder)
    text = theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert ours.apply_chat_template(messages) == text
    assert text.startswith("<|im_start|>user\nHello")


@given(text=st.text(st.characters(codec="utf-8"), max_size=60))
def test_documents_come_back_whole_and_forge_no_control(folder: Path, text: str) -> None:
    encoder, tokenizer = Encoder(folder), Tokenizer.from_folder(folder)
    (ids,) = encoder.encode([f"{text}{END}"])
    assert not tokenizer.special_ids & set(ids)
    wanted = f"{text}{END}"
    if "qwen2" in folder.name:
        wanted = unicodedata.normalize("NFC", wanted)
    assert tokenizer.decode(ids) == wanted


def test_digits_are_split_as_the_pattern_says(folder: Path) -> None:
    parts = {"gpt2": None, "llama3": ["123", "45"], "qwen2": list("12345")}
    kind = next(name for name in parts if name in folder.name)
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    import tokenizers

    split = tokenizers.Tokenizer.from_str(json.dumps(data)).pre_tokenizer
    found = [part for part, _ in split.pre_tokenize_str("12345")]
    assert found == (parts[kind] or ["12345"])


def test_the_same_text_gives_the_same_tokenizer() -> None:
    texts = [corpus.document(number) for number in range(20)]
    first, second = (train_tokenizer(iter(texts), "qwen2", 400, SPECIALS) for _ in range(2))
    assert first.to_str() == second.to_str()


def test_a_vocabulary_without_room_is_refused() -> None:
    with pytest.raises(OptionError, match="vocab_size = 280") as caught:
        train_tokenizer(iter([]), "qwen2", 280, SPECIALS)
    assert str(256 + len(SPECIALS)) in caught.value.hint


def test_a_small_source_counts_like_a_large_one() -> None:
    assert sample_share([1000, 1000], 1000) == [0.5, 0.5]
    assert sample_share([100, 10_000], 1000) == [1.0, 0.09]
    assert sample_share([0, 50], 1000) == [0.0, 1.0]


def test_a_foreign_tokenizer_must_name_an_end(folder: Path, tmp_path: Path) -> None:
    data = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    data["added_tokens"] = []
    data["model"]["vocab"] = {
        token: i for i, token in enumerate(data["model"]["vocab"]) if token != END
    }
    data["model"]["merges"] = []
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), "utf-8")
    with pytest.raises(TrainingError, match="no token that ends a text"):
        Encoder(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(GptDeskError):
        Encoder(tmp_path)
