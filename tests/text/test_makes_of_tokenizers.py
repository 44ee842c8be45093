"""Every make of tokenizer: ids and texts are those of the reference library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from gptdesk.text.tokenizer import Tokenizer
from tests.text import makes_of_tokenizers as makes
from tests.text.tokenizers_for_tests import AWKWARD

MARKED = [
    "<s>a</s> b",
    "  <|user|>\n\n hello <|end|>  <|user|>there",
    "[CLS]灯塔[SEP] plain\u3000words",
    "<start_of_turn>user\nhi<end_of_turn>\n\n\n",
    "the lighthouse <|new|> and <|extra|>",
    "x<extra_id_2>y  <mask>",
    "1234567 3.14159 ①② ﬁ Å Ａ\u00a0ｂ",
    "<0x0A> ▁ ▁▁ \u2581x",
]


@pytest.fixture(scope="module", params=makes.MAKES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return makes.MAKES[request.param](tmp_path_factory.mktemp("tokenizer") / "model")


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    return Tokenizer.from_folder(folder)


@pytest.fixture(scope="module")
def reference(folder: Path) -> Any:
    return AutoTokenizer.from_pretrained(str(folder))


def test_ids_are_those_of_the_reference_library(tokenizer: Tokenizer, reference: Any) -> None:
    for text in AWKWARD + MARKED:
        assert tokenizer.encode(text) == reference(text).input_ids, text


@settings(max_examples=30)
@given(text=st.text(max_size=30) | st.text("aA 1\u0301e灯🙂\u200d<s>▁\n\r.", max_size=30))
def test_ids_of_any_text_are_those_of_the_reference_library(
    tokenizer: Tokenizer, reference: Any, text: str
) -> None:
    assert tokenizer.encode(text) == reference(text).input_ids


def test_texts_come_back_where_those_of_the_reference_library_do(
    tokenizer: Tokenizer, reference: Any
) -> None:
    for text in AWKWARD + MARKED:
        ids = reference(text, add_special_tokens=False).input_ids
        for skip in (True, False):
            ours = tokenizer.decode(ids, skip_special=skip)
            expected = reference.decode(ids, skip_special_tokens=skip)
            if type(reference).__name__ == "BertTokenizer":  # spaces beside ideographs: see below
                ours, expected = ours.replace(" ", ""), expected.replace(" ", "")
            assert ours == expected


def test_streamed_text_is_the_whole_text(tokenizer: Tokenizer) -> None:
    for text in AWKWARD:
        ids = tokenizer.encode_plain(text)
        stream = tokenizer.stream()
        streamed = "".join(stream.push(token) for token in ids) + stream.flush()
        assert streamed == tokenizer.decode(ids).rstrip("\ufffd")


def test_named_tokens_are_those_of_the_reference_library(
    tokenizer: Tokenizer, reference: Any
) -> None:
    end = reference.eos_token_id
    separator = reference.sep_token_id
    expected = {end} if end is not None else {separator} - {None}
    assert tokenizer.end_ids == expected


def test_ideographs_come_back_without_spaces(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_folder(makes.word_pieces(tmp_path))
    text = "灯塔看守人,每天晚上都写一封信。"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode(tokenizer.encode("灯塔 plain words")) == "灯塔plain words"
