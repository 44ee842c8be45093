"""The laws every engine keeps, whatever computes: generation and session rely on nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.engines.base import Engine
from gptdesk.engines.fake_engine import FakeEngine
from gptdesk.engines.registry import open_engine
from gptdesk.errors import ContextOverflowError, EngineError
from gptdesk.export.onnx_export import export_onnx
from gptdesk.generation.context import CachedContext
from gptdesk.generation.events import GenerationEnd, Token
from gptdesk.generation.loop import generate
from gptdesk.generation.sampling import Sampling
from gptdesk.generation.scoring import score, token_logits
from gptdesk.text.tokenizer import Tokenizer

KINDS = ["fake", "torch-gpt2", "torch-llama", "onnx-gpt2", "onnx-llama"]
IDS = [5, 300, 17, 42, 42, 7, 99, 250, 3, 610, 12, 80]
CLOSE = {"rtol": 1e-3, "atol": 1e-4}  # chunks change the order of sums, and nothing else


@pytest.fixture(scope="module", params=KINDS)
def loaded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    name, _, family = request.param.partition("-")
    if name == "fake":
        yield FakeEngine(vocab_size=800, context_length=256)
        return
    folder: Path = request.getfixturevalue(f"tiny_{family}_dir")
    if name == "onnx":
        folder = export_onnx(folder, tmp_path_factory.mktemp("onnx") / family).path
    engine, _ = open_engine(resolve_folder(folder), engine=name, device="cpu", threads=1)
    yield engine
    engine.close()


@pytest.fixture
def engine(loaded: Engine) -> Engine:
    loaded.truncate(0)
    return loaded


def test_it_says_what_it_is(engine: Engine) -> None:
    assert engine.info.name in ("fake", "torch", "onnx")
    assert engine.info.device == "cpu"
    assert engine.info.vocab_size == 800
    assert engine.info.context_length in (256, 512)


def test_logits_are_float32_rows_of_the_last_positions(engine: Engine) -> None:
    rows = engine.extend(IDS, last=3)
    assert rows.shape == (3, 800)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert engine.length == len(IDS)


def test_returned_logits_do_not_change_later(engine: Engine) -> None:
    rows = engine.extend(IDS)
    kept = rows.copy()
    engine.extend([1])
    assert np.array_equal(rows, kept)


@pytest.mark.parametrize("size", [1, 3, 5, 11])
def test_chunks_change_nothing(engine: Engine, size: int) -> None:
    whole = engine.extend(IDS, last=len(IDS))
    engine.truncate(0)
    parts = [IDS[at : at + size] for at in range(0, len(IDS), size)]
    rows = np.concatenate([engine.extend(part, last=len(part)) for part in parts])
    np.testing.assert_allclose(rows, whole, **CLOSE)


@pytest.mark.parametrize("length", [0, 1, 6, len(IDS) - 1])
def test_truncate_goes_back_exactly(engine: Engine, length: int) -> None:
    expected = engine.extend(IDS)
    engine.extend([9, 9, 9])
    engine.truncate(length)
    assert engine.length == length
    np.testing.assert_allclose(engine.extend(IDS[length:]), expected, **CLOSE)


def test_truncate_beyond_the_end_does_nothing(engine: Engine) -> None:
    engine.extend(IDS)
    engine.truncate(100_000)
    assert engine.length == len(IDS)


def test_logits_depend_on_everything_before(engine: Engine) -> None:
    first = engine.extend(IDS)
    engine.truncate(0)
    changed = engine.extend([IDS[0] + 1, *IDS[1:]])
    assert not np.allclose(first, changed, **CLOSE)


def test_an_overflow_leaves_the_cache_as_it_was(engine: Engine) -> None:
    limit = engine.info.context_length
    engine.extend(IDS)
    with pytest.raises(ContextOverflowError):
        engine.extend([1] * (limit - len(IDS) + 1))
    assert engine.length == len(IDS)
    engine.extend([1] * (limit - len(IDS)))
    assert engine.length == limit


@pytest.mark.parametrize(("ids", "last"), [([], 1), ([1], 2), ([1], 0), ([800], 1), ([-1], 1)])
def test_bad_calls_are_refused_and_change_nothing(
    engine: Engine, ids: list[int], last: int
) -> None:
    engine.extend(IDS)
    with pytest.raises(EngineError):
        engine.extend(ids, last=last)
    assert engine.length == len(IDS)


def test_greedy_generation_is_the_argmax_of_the_logits(
    engine: Engine, tiny_llama_dir: Path
) -> None:
    tokenizer = Tokenizer.from_folder(tiny_llama_dir)
    prompt = tokenizer.encode("The lighthouse keeper")
    items = list(
        generate(
            CachedContext(engine), tokenizer, prompt, Sampling(temperature=0, max_new_tokens=8)
        )
    )
    ids = [item.id for item in items if isinstance(item, Token)]
    assert isinstance(items[-1], GenerationEnd)
    rows = token_logits(CachedContext(engine), [*prompt, *ids])
    assert ids == rows[len(prompt) - 1 : -1].argmax(axis=1).tolist()


def test_scores_are_log_probabilities(engine: Engine) -> None:
    rows = token_logits(CachedContext(engine), IDS).astype(np.float64)
    expected = sum(
        rows[at - 1][IDS[at]] - math.log(np.exp(rows[at - 1]).sum()) for at in range(4, len(IDS))
    )
    found = score(CachedContext(engine), IDS[:4], IDS[4:])
    assert found == pytest.approx(expected, rel=1e-3)


def test_a_closed_engine_refuses_and_closes_again(tiny_gpt2_dir: Path) -> None:
    for engine in (
        FakeEngine(),
        open_engine(resolve_folder(tiny_gpt2_dir), engine="torch", device="cpu")[0],
    ):
        engine.extend([1])
        engine.close()
        engine.close()
        with pytest.raises(EngineError):
            engine.extend([1])
