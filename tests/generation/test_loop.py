"""The decoding loop: what comes out, why it ends, and what its figures say."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.engines.fake_engine import FakeEngine
from gptdesk.errors import ContextOverflowError
from gptdesk.generation.context import CHUNK, CachedContext
from gptdesk.generation.events import GenerationEnd, Progress, Token
from gptdesk.generation.loop import generate
from gptdesk.generation.sampling import Sampling
from gptdesk.text.tokenizer import Tokenizer
from tests.text import tokenizers_for_tests as makes

TEXT = "The storm 灯塔 was over.\n\nEND of it"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.from_folder(makes.byte_level(tmp_path_factory.mktemp("tokenizer")))


def engine(tokenizer: Tokenizer, text: str = TEXT, **settings: Any) -> FakeEngine:
    settings = {"context_length": 256, "end_id": 0, **settings}
    return FakeEngine(800, script=tokenizer.encode_plain(text), **settings)


def run(
    context: CachedContext, tokenizer: Tokenizer, prompt: Sequence[int] = (5, 6), **settings: Any
) -> tuple[list[Token], GenerationEnd]:
    sampling = Sampling(**{"temperature": 0.0, **settings})
    items = list(generate(context, tokenizer, prompt, sampling))
    end = items[-1]
    assert isinstance(end, GenerationEnd)
    assert not any(isinstance(item, GenerationEnd) for item in items[:-1])
    return [item for item in items if isinstance(item, Token)], end


def text_of(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def test_it_ends_where_the_model_ends(tokenizer: Tokenizer) -> None:
    tokens, end = run(CachedContext(engine(tokenizer)), tokenizer)
    assert text_of(tokens) == TEXT
    assert [token.id for token in tokens] == tokenizer.encode_plain(TEXT)
    assert end.reason == "stop"
    assert end.stats.new_tokens == len(tokens)
    assert end.logprob is None


def test_the_probability_of_the_end_is_that_of_the_choice(tokenizer: Tokenizer) -> None:
    context = CachedContext(engine(tokenizer))
    _, end = run(context, tokenizer, top_logprobs=1)
    logits = context.logits.astype("float64")
    expected = logits.max() - math.log(sum(math.exp(value) for value in logits))
    assert end.logprob == pytest.approx(expected)
    for limit in ({"max_new_tokens": 2}, {"stop": ("storm",)}):
        assert run(context, tokenizer, top_logprobs=1, **limit)[1].logprob is None


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        (("END",), "The storm 灯塔 was over.\n\n"),
        (("\n\nEND",), "The storm 灯塔 was over."),
        (("塔 w", "over"), "The storm 灯"),
        (("never", "END of itx"), TEXT),
        (("t",), "The s"),
    ],
)
def test_stop_texts_end_it_exactly(
    tokenizer: Tokenizer, stop: tuple[str, ...], expected: str
) -> None:
    tokens, end = run(CachedContext(engine(tokenizer)), tokenizer, stop=stop)
    assert text_of(tokens) == expected
    assert end.reason == "stop"


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_max_new_tokens_is_exact_and_releases_held_text(tokenizer: Tokenizer, count: int) -> None:
    stop = (TEXT + "!",)  # everything looks like the beginning of it
    tokens, end = run(CachedContext(engine(tokenizer)), tokenizer, max_new_tokens=count, stop=stop)
    assert len(tokens) == end.stats.new_tokens == count
    assert end.reason == "length"
    ids = [token.id for token in tokens]
    assert text_of(tokens) == tokenizer.decode(ids).rstrip("\ufffd")


def test_text_held_back_for_a_stop_comes_when_the_model_ends(tokenizer: Tokenizer) -> None:
    tokens, _ = run(CachedContext(engine(tokenizer)), tokenizer, stop=("it!",))
    assert text_of(tokens) == TEXT


def test_a_full_context_ends_it(tokenizer: Tokenizer) -> None:
    context = CachedContext(FakeEngine(800, 20))
    tokens, end = run(context, tokenizer, prompt=[5] * 15)
    assert len(tokens) == 5
    assert end.reason == "context"
    assert end.stats.context_length == 20


def test_a_prompt_without_room_says_how_much_fits(tokenizer: Tokenizer) -> None:
    with pytest.raises(ContextOverflowError, match="20 tokens") as caught:
        run(CachedContext(FakeEngine(800, 20)), tokenizer, prompt=[5] * 20)
    assert "19" in caught.value.hint


def test_min_new_tokens_keeps_it_from_ending(tokenizer: Tokenizer) -> None:
    short = engine(tokenizer, "a")
    tokens, end = run(CachedContext(short), tokenizer, min_new_tokens=6, max_new_tokens=10)
    assert len(tokens) >= 6
    assert end.reason in ("stop", "length")
    assert not any(token.id in tokenizer.end_ids for token in tokens[:6])


def test_special_tokens_have_no_text(tokenizer: Tokenizer) -> None:
    script = [*tokenizer.encode_plain("one"), 1, *tokenizer.encode_plain(" two")]
    tokens, _ = run(CachedContext(FakeEngine(800, 64, script=script, end_id=0)), tokenizer)
    assert text_of(tokens) == "one two"


def test_a_cancel_stops_within_one_token_and_keeps_the_text(tokenizer: Tokenizer) -> None:
    context = CachedContext(engine(tokenizer))
    cancel = ThreadCancelFlag()
    items = []
    for item in generate(context, tokenizer, [5], Sampling(temperature=0), cancel):
        items.append(item)
        if len([one for one in items if isinstance(one, Token)]) == 3:
            cancel.set()
    assert isinstance(items[-1], GenerationEnd)
    assert items[-1].reason == "cancelled"
    assert items[-1].stats.new_tokens == 3


def test_a_cancel_releases_text_held_back_for_a_stop(tokenizer: Tokenizer) -> None:
    cancel = ThreadCancelFlag()
    pieces = []
    sampling = Sampling(temperature=0, stop=("The storm and",))
    for item in generate(CachedContext(engine(tokenizer)), tokenizer, [5], sampling, cancel):
        pieces += [item.text] if isinstance(item, Token) else []
        if len(pieces) == 2:
            cancel.set()
    ids = tokenizer.encode_plain(TEXT)[:2]
    assert "".join(pieces) == tokenizer.decode(ids)


def test_a_cancel_inside_a_long_prompt(tokenizer: Tokenizer) -> None:
    context = CachedContext(FakeEngine(800, 2000))
    cancel = ThreadCancelFlag()
    seen = []
    for item in generate(context, tokenizer, [5] * 1500, Sampling(), cancel):
        seen.append(item)
        if isinstance(item, Progress) and item.done >= CHUNK:
            cancel.set()
    assert context.length == CHUNK
    assert isinstance(seen[-1], GenerationEnd)
    assert seen[-1].reason == "cancelled"
    assert seen[-1].stats.new_tokens == 0


def test_the_figures(tokenizer: Tokenizer) -> None:
    context = CachedContext(engine(tokenizer, delay=0.002))
    start = time.perf_counter()
    prompt = [5] * 40
    run(context, tokenizer, prompt, max_new_tokens=4)
    _, end = run(context, tokenizer, [*prompt, 7], max_new_tokens=5, seed=11)
    stats = end.stats
    assert (stats.prompt_tokens, stats.reused_tokens, stats.new_tokens) == (41, 40, 5)
    assert 0.002 <= stats.time_to_first_token <= time.perf_counter() - start
    assert 0 < stats.tokens_per_second <= 500
    assert stats.context_used == 45  # the last token was never fed
    assert stats.context_length == 256
    assert stats.seed == 11


def test_a_drawn_seed_is_reported_and_repeats_the_text(tokenizer: Tokenizer) -> None:
    first, end = run(CachedContext(FakeEngine(800, 64)), tokenizer, temperature=1.5)
    again, _ = run(
        CachedContext(FakeEngine(800, 64)), tokenizer, temperature=1.5, seed=end.stats.seed
    )
    assert [token.id for token in first] == [token.id for token in again]
    other, _ = run(CachedContext(FakeEngine(800, 64)), tokenizer, temperature=1.5)
    assert [token.id for token in other] != [token.id for token in first]


@given(st.lists(st.integers(3, 799), min_size=1, max_size=8), st.integers(0, 1000))
def test_reuse_never_changes_the_text(prompt: list[int], seed: int) -> None:
    tokenizer = _SHARED[0] if _SHARED else _share()
    used = CachedContext(FakeEngine(800, 64))
    run(used, tokenizer, [5, 6, 7], seed=1, temperature=1.0)
    found, _ = run(used, tokenizer, prompt, seed=seed, temperature=1.0, max_new_tokens=5)
    fresh = CachedContext(FakeEngine(800, 64))
    expected, _ = run(fresh, tokenizer, prompt, seed=seed, temperature=1.0, max_new_tokens=5)
    assert found == expected


def test_alternatives_carry_their_text(tokenizer: Tokenizer) -> None:
    tokens, _ = run(CachedContext(engine(tokenizer)), tokenizer, top_logprobs=3)
    first = tokens[0]
    assert first.logprob is not None
    assert len(first.alternatives) == 3
    assert first.alternatives[0] == (first.id, tokenizer.decode([first.id]), first.logprob)


_SHARED: list[Tokenizer] = []


def _share() -> Tokenizer:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        _SHARED.append(Tokenizer.from_folder(makes.byte_level(Path(folder))))
    return _SHARED[0]
