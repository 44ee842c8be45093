"""The cached context: reuse is exact, long prompts are read in chunks, errors leave it consistent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.engines.fake_engine import FakeEngine
from gptdesk.errors import Cancelled, ContextOverflowError, EngineError, OutOfMemoryError
from gptdesk.generation.context import CHUNK, CachedContext
from gptdesk.generation.events import Progress
from gptdesk.generation.scoring import score, token_logits

prompts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), min_size=1, max_size=6)


class FailingEngine(FakeEngine):
    """Runs out of memory at one call, after having taken the ids in."""

    fail_at = -1

    def extend(self, ids: Sequence[int], *, last: int = 1, whole: int = 0) -> Any:
        rows = super().extend(ids, last=last, whole=whole)
        self.fail_at -= 1
        if self.fail_at == 0:
            raise OutOfMemoryError("The device has no memory left.")
        return rows


def fresh(ids: Sequence[int]) -> Any:
    return FakeEngine(16, 512).extend(ids)[-1]


@given(prompts)
def test_reuse_changes_no_logits(prompts: list[list[int]]) -> None:
    context = CachedContext(FakeEngine(16, 512))
    held: list[int] = []
    for ids in prompts:
        list(context.prefill(ids))
        shared = next((n for n in range(len(ids), -1, -1) if held[:n] == ids[:n]), 0)
        assert context.reused == min(shared, len(ids) - 1)
        assert context.ids == tuple(ids)
        assert np.array_equal(context.logits, fresh(ids))
        held = ids


def test_a_long_prompt_is_read_in_chunks_with_progress() -> None:
    context = CachedContext(FakeEngine(16, 512))
    steps = list(context.prefill([1] * 300))
    assert steps[0] == Progress(stage="reading", done=0, total=300)
    assert [step.done for step in steps] == [0, CHUNK, 2 * CHUNK, 300]


def test_a_cancel_keeps_what_was_read_for_the_next_time() -> None:
    context = CachedContext(FakeEngine(16, 512))
    cancel = ThreadCancelFlag()
    for step in context.prefill([1] * 300, cancel):
        if step.done >= CHUNK:
            cancel.set()
    assert context.length == CHUNK
    list(context.prefill([1] * 300))
    assert context.reused == CHUNK


def test_abandoning_the_reading_leaves_it_consistent() -> None:
    context = CachedContext(FakeEngine(16, 512))
    reading = context.prefill([1] * 300)
    next(reading)
    next(reading)
    reading.close()
    list(context.prefill([1] * 20 + [2]))
    assert np.array_equal(context.logits, fresh([1] * 20 + [2]))


def test_an_engine_error_goes_back_to_before_the_chunk() -> None:
    engine = FailingEngine(16, 512)
    engine.fail_at = 2
    context = CachedContext(engine)
    with pytest.raises(OutOfMemoryError):
        list(context.prefill([1] * 300))
    assert context.length == engine.length == CHUNK
    list(context.prefill([1] * 300))
    assert np.array_equal(context.logits, fresh([1] * 300))


def test_a_prompt_longer_than_the_context_changes_nothing() -> None:
    context = CachedContext(FakeEngine(16, 32))
    list(context.prefill([1, 2, 3]))
    with pytest.raises(ContextOverflowError, match="33 tokens"):
        list(context.prefill([1] * 33))
    assert context.ids == (1, 2, 3)


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(EngineError, match="no token"):
        list(CachedContext(FakeEngine()).prefill([]))


def test_logits_before_any_token_are_refused() -> None:
    with pytest.raises(EngineError, match="No token"):
        _ = CachedContext(FakeEngine()).logits


def test_scores_add_up_over_parts() -> None:
    context = CachedContext(FakeEngine(16, 2000))
    prompt, text = [1, 2, 3], [at % 16 for at in range(700)]
    whole = score(context, prompt, text)
    parts = score(context, prompt, text[:300]) + score(context, [*prompt, *text[:300]], text[300:])
    assert whole == pytest.approx(parts)
    assert score(context, prompt, []) == 0.0


def test_scores_respect_cancel_and_context() -> None:
    cancel = ThreadCancelFlag()
    cancel.set()
    with pytest.raises(Cancelled):
        score(CachedContext(FakeEngine()), [1], [2], cancel)
    with pytest.raises(Cancelled):
        token_logits(CachedContext(FakeEngine()), [1], cancel)
    with pytest.raises(ContextOverflowError):
        score(CachedContext(FakeEngine(16, 8)), [1] * 4, [1] * 5)
    with pytest.raises(ContextOverflowError):
        token_logits(CachedContext(FakeEngine(16, 8)), [1] * 9)
    with pytest.raises(EngineError):
        token_logits(CachedContext(FakeEngine(16, 8)), [])
