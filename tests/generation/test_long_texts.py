"""Texts beyond the context of the training, where positions depend on the length of the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.engines.torch_engine import TorchEngine, open_torch
from gptdesk.errors import EngineError
from gptdesk.generation.context import CachedContext
from gptdesk.generation.scoring import score, token_logits
from tests.helpers import checkpoints

BORDER, CONTEXT = 64, 256
IDS = [3 + 37 * i % 790 for i in range(200)]
OTHER = [3 + 41 * i % 790 for i in range(200)]
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10_000.0,
    "short_factor": [1.0 + 0.1 * pair for pair in range(8)],
    "long_factor": [1.5 + 0.7 * pair for pair in range(8)],
}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "longrope": (
        "phi3",
        {
            "pad_token_id": 0,
            "max_position_embeddings": CONTEXT,
            "original_max_position_embeddings": BORDER,
            "rope_parameters": LONGROPE,
        },
    ),
    "dynamic": (
        "llama",
        {
            "max_position_embeddings": BORDER,
            "rope_parameters": {"rope_type": "dynamic", "rope_theta": 10_000.0, "factor": 4.0},
        },
    ),
}


class Model:
    """One checkpoint, as we run it and as the reference does."""

    def __init__(self, kind: str, folder: Path) -> None:
        model_type, changes = SHAPES[kind]
        self.kind = kind
        self.folder = checkpoints.write_like_llama(folder, model_type, **changes)
        self._reference = checkpoints.load_reference(self.folder)

    @property
    def reference(self) -> Any:
        """As freshly loaded: it keeps the frequencies of the longest text until a short one."""
        with torch.no_grad():
            self._reference(torch.tensor([[5]]))
        return self._reference

    def logits(self, ids: list[int]) -> np.ndarray:
        with torch.no_grad():
            logits: np.ndarray = self.reference(torch.tensor([ids])).logits[0].numpy()
        return logits

    def greedy(self, ids: list[int]) -> list[int]:
        prompt = torch.tensor([ids])
        with torch.no_grad():
            whole = self.reference.generate(
                prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=24, do_sample=False
            )
        return list(whole[0].tolist())

    def open(self) -> TorchEngine:
        engine, _ = open_torch(resolve_folder(self.folder), device="cpu", dtype="fp32")
        return engine


@pytest.fixture(scope="module", params=SHAPES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model(request.param, tmp_path_factory.mktemp("long") / "model")


@pytest.fixture(scope="module")
def longrope(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return Model("longrope", tmp_path_factory.mktemp("long") / "longrope")


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert np.abs(ours - theirs).max() <= 2e-4 * np.abs(theirs).max()


def pieces(ids: list[int], size: int) -> Iterator[list[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def test_the_context_reaches_beyond_the_border(model: Model) -> None:
    config = resolve_folder(model.folder).config
    assert (config.plain_context, config.context_length) == (BORDER, CONTEXT)


def test_greedy_text_after_prompts_of_any_length(model: Model) -> None:
    """One context, so that each prompt finds the keys of the one before."""
    context = CachedContext(model.open())
    prompts = [IDS[:50], IDS[:64], IDS[:65], IDS[:150], IDS[:150], IDS[:40], OTHER[:60] + IDS[:60]]
    for prompt in prompts:
        ours = list(prompt)
        for _ in context.prefill(prompt):
            pass
        for _ in range(24):
            ours.append(int(context.logits.argmax()))
            context.feed(ours[-1:])
        assert ours == model.greedy(prompt)


def test_logits_of_all_positions(model: Model) -> None:
    context = CachedContext(model.open())
    for length in (150, 60, 151):
        assert_close(token_logits(context, IDS[:length]), model.logits(IDS[:length]))


def test_a_score_is_that_of_the_whole_text(model: Model) -> None:
    rows = torch.tensor(model.logits(IDS[:100])).log_softmax(-1)
    wanted = sum(float(rows[place - 1, IDS[place]]) for place in range(50, 100))
    context = CachedContext(model.open())
    for _ in context.prefill(IDS[:55]):
        pass
    assert score(context, IDS[:50], IDS[50:100]) == pytest.approx(wanted, rel=1e-4)


def test_the_same_prompt_again_is_not_read_again(model: Model) -> None:
    context = CachedContext(model.open())
    for _ in range(2):
        list(context.prefill(IDS[:150]))
    assert context.reused == 149
    list(context.prefill(IDS[:100]))
    assert context.reused == (99 if model.kind == "longrope" else 0)
    list(context.prefill(IDS[:50]))
    assert context.reused == 0


@pytest.mark.parametrize("size", [1, 7, 64, 130])
def test_longrope_in_pieces_is_longrope_at_once(longrope: Model, size: int) -> None:
    engine = longrope.open()
    for fed in pieces(IDS[:130], size):
        rows = engine.extend(fed)
    assert_close(rows, longrope.logits(IDS[:130])[-1:])
    engine.truncate(30)
    assert_close(engine.extend(OTHER[:10], last=10), longrope.logits(IDS[:30] + OTHER[:10])[-10:])
    assert_close(engine.extend(OTHER[10:60], last=50), longrope.logits(IDS[:30] + OTHER[:60])[-50:])
    assert engine.length == 90


def test_dynamic_keys_stay_as_they_were_turned(tmp_path: Path) -> None:
    """As in the reference, fed in the same pieces."""
    model = Model("dynamic", tmp_path / "model")
    engine, reference, cache, done = model.open(), model.reference, None, 0
    for size in (50, 30, 1, 1, 40):
        fed = IDS[done : done + size]
        with torch.no_grad():
            theirs = reference(torch.tensor([fed]), past_key_values=cache, use_cache=True)
        assert_close(engine.extend(fed, last=size), theirs.logits[0].numpy())
        cache, done = theirs.past_key_values, done + size


def test_running_out_while_reading_again_loses_nothing(longrope: Model) -> None:
    engine = longrope.open()
    engine.extend(IDS[:60])
    gpt: Any = engine.gpt
    forward = gpt.forward

    def fail(*_: Any) -> None:
        raise RuntimeError("no room")

    gpt.forward = fail
    with pytest.raises(EngineError):
        engine.extend(IDS[60:70])
    gpt.forward = forward
    assert engine.length == 60
    assert_close(engine.extend(IDS[60:70]), longrope.logits(IDS[:70])[-1:])


def test_it_is_saved_with_the_context_of_its_training(model: Model, tmp_path: Path) -> None:
    gpt = model.open().gpt
    assert gpt is not None
    save_gpt(gpt, model.folder, tmp_path / "saved")
    assert resolve_folder(tmp_path / "saved").config == gpt.config
    saved = checkpoints.load_reference(tmp_path / "saved")
    with torch.no_grad():
        logits = saved(torch.tensor([IDS[:100]])).logits[0].numpy()
    assert np.array_equal(logits, model.logits(IDS[:100]))
