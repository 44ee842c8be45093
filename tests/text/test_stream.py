"""Streaming: joined pieces are the text, no broken characters on the way, spaces where they belong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.text.stream import TextStream
from gptdesk.text.tokenizer import Tokenizer
from tests.text import tokenizers_for_tests as makes


@pytest.fixture(scope="module", params=makes.MAKES, ids=lambda make: make.__name__)
def tokenizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Tokenizer:
    make: Callable[[Path], Path] = request.param
    return Tokenizer.from_folder(make(tmp_path_factory.mktemp("tokenizer") / "model"))


def bytes_as_ids(ids: list[int]) -> str:
    """A decoder whose ids are bytes, to reach every way UTF-8 can break."""
    return bytes(ids).decode("utf-8", "replace")


def stream_all(stream: TextStream, ids: list[int]) -> str:
    return "".join([*(stream.push(token) for token in ids), stream.flush()])


@pytest.mark.parametrize("text", makes.AWKWARD)
def test_the_pieces_are_the_text(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode_plain(text)
    pieces = [tokenizer.stream().push(token) for token in ids[:1]]
    stream = tokenizer.stream()
    pieces = [stream.push(token) for token in ids]
    assert "".join(pieces) + stream.flush() == tokenizer.decode(ids)
    assert not any("\ufffd" in piece for piece in pieces)


@pytest.mark.parametrize("text", makes.AWKWARD[2:])
def test_what_follows_a_prompt_keeps_its_first_space(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode_plain("The storm was over" + text)
    whole = tokenizer.decode(ids)
    for cut in range(1, min(len(ids), 6)):
        before = tokenizer.decode(ids[:cut])
        if "\ufffd" not in before:
            assert before + stream_all(tokenizer.stream(ids[:cut]), ids[cut:]) == whole


def test_special_tokens_have_no_text(tokenizer: Tokenizer) -> None:
    special = min(tokenizer.special_ids)
    ids = tokenizer.encode_plain("two words")
    mixed = [special, *ids[:1], special, special, *ids[1:], special]
    assert stream_all(tokenizer.stream(), mixed) == tokenizer.decode(ids)


@given(st.text())
def test_any_text_byte_by_byte(text: str) -> None:
    ids = list(text.encode())
    stream = TextStream(bytes_as_ids)
    assert stream_all(stream, ids) == text.rstrip("\ufffd") or text.endswith("\ufffd")


@given(st.binary(max_size=40))
def test_any_bytes_decode_as_at_once_up_to_an_unfinished_end(data: bytes) -> None:
    whole = bytes_as_ids(list(data))
    streamed = stream_all(TextStream(bytes_as_ids), list(data))
    assert whole.startswith(streamed)
    assert set(whole[len(streamed) :]) <= {"\ufffd"}


def test_an_unfinished_character_is_dropped_at_the_end() -> None:
    ids = list("灯塔".encode())[:-1]
    assert stream_all(TextStream(bytes_as_ids), ids) == "灯"


def test_endless_broken_bytes_do_not_hold_the_text_back() -> None:
    stream = TextStream(bytes_as_ids)
    assert "\ufffd" in "".join(stream.push(0xFF) for _ in range(10))
    assert "x" in stream.push(ord("x"))
