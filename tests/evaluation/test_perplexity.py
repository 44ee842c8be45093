"""Likelihood of text, against the sum over the logits of one pass."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.evaluation import perplexity
from gptdesk.evaluation.perplexity import Likelihood, measure_text
from gptdesk.session import Model, load_model

TEXT = "The lighthouse keeper wrote a letter every evening. 灯塔看守人每天晚上都写一封信。\n" * 3


@pytest.fixture
def model(tiny_llama_dir: Path) -> Iterator[Model]:
    with contextlib.closing(load_model(tiny_llama_dir)) as loaded:
        yield loaded


def measured(model: Model, text: str) -> Likelihood:
    *_, last = measure_text(model, text)
    assert isinstance(last, Likelihood)
    return last


def direct(model: Model, ids: list[int]) -> float:
    logits = model.logits(ids)[:-1].astype(np.float64)
    logits -= logits.max(1, keepdims=True)
    chosen = logits[np.arange(len(ids) - 1), ids[1:]]
    return float((np.log(np.exp(logits).sum(1)) - chosen).sum())


def test_a_text_within_the_context_is_one_pass(model: Model) -> None:
    ids = model.tokenizer.encode_plain(TEXT)
    found = measured(model, TEXT)
    assert found.nats == pytest.approx(direct(model, [min(model.tokenizer.end_ids), *ids]))
    assert (found.tokens, found.utf8_bytes) == (len(ids), len(TEXT.encode()))
    assert found.perplexity == pytest.approx(math.exp(found.nats / len(ids)))
    assert found.bits_per_byte == pytest.approx(found.nats / math.log(2) / len(TEXT.encode()))


def test_a_longer_text_is_read_in_windows_that_overlap(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perplexity, "MAX_WINDOW", 16)
    ids = [min(model.tokenizer.end_ids), *model.tokenizer.encode_plain(TEXT)]
    expected = direct(model, ids[:16])
    for done in range(16, len(ids), 8):
        window = ids[done - 8 : done + 8]
        expected += direct(model, window) - direct(model, window[:8])
    found = measured(model, TEXT)
    assert found.nats == pytest.approx(expected)
    assert (found.tokens, found.utf8_bytes) == (len(ids) - 1, len(TEXT.encode()))


def test_without_a_token_to_begin_with_the_first_is_not_counted(model: Model) -> None:
    ids = model.tokenizer.encode_plain(TEXT)
    model.tokenizer.end_ids = frozenset()
    found = measured(model, TEXT)
    assert found.nats == pytest.approx(direct(model, ids))
    first = model.tokenizer.decode(ids[:1])
    assert (found.tokens, found.utf8_bytes) == (len(ids) - 1, len(TEXT.encode()) - len(first))


def test_an_empty_text_has_no_likelihood(model: Model) -> None:
    assert measured(model, "") == Likelihood()
    assert math.isnan(Likelihood().perplexity)


def test_what_was_read_before_a_cancel_counts(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perplexity, "MAX_WINDOW", 16)
    cancel = ThreadCancelFlag()
    events = measure_text(model, TEXT, cancel)
    next(events)
    cancel.set()
    *_, last = events
    assert isinstance(last, Likelihood)
    assert last.tokens == 15
