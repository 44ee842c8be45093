"""Laws that every family keeps in every shape, against `transformers` on the same folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gptdesk.checkpoints.families import FAMILIES, read_config
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.engines.torch_engine import TorchEngine, open_torch
from tests.helpers import checkpoints, families

TOLERANCE = 2e-4
PROMPT = [3 + 37 * i % 790 for i in range(100)]


@dataclass(frozen=True)
class Checkpoint:
    """A tiny model on disk, as the reference library sees it."""

    folder: Path
    reference: Any
    logits: np.ndarray


@pytest.fixture(scope="module", params=families.SHAPES)
def checkpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    folder = families.write(request.param, tmp_path_factory.mktemp("family") / "model")
    reference = checkpoints.load_reference(folder)
    return Checkpoint(folder, reference, logits_of(reference, PROMPT))


@pytest.fixture
def engine(checkpoint: Checkpoint) -> TorchEngine:
    opened, warnings = open_torch(resolve_folder(checkpoint.folder), device="cpu", dtype="fp32")
    assert warnings == []
    return opened


def logits_of(reference: Any, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        logits: np.ndarray = reference(torch.tensor([ids])).logits[0].float().numpy()
    return logits


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert np.abs(ours - theirs).max() <= TOLERANCE * np.abs(theirs).max()


def fed(engine: TorchEngine, ids: list[int], chunk: int) -> np.ndarray:
    parts = [ids[start : start + chunk] for start in range(0, len(ids), chunk)]
    return np.concatenate([engine.extend(part, last=len(part)) for part in parts])


@pytest.mark.parametrize("chunk", [100, 64, 7, 1])
def test_logits_in_chunks(checkpoint: Checkpoint, engine: TorchEngine, chunk: int) -> None:
    assert_close(fed(engine, PROMPT, chunk), checkpoint.logits)


def test_greedy_text(checkpoint: Checkpoint, engine: TorchEngine) -> None:
    ids = torch.tensor([PROMPT])
    with torch.no_grad():
        theirs = checkpoint.reference.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False
        )
    ours, logits = list(PROMPT), engine.extend(PROMPT)
    for _ in range(24):
        ours.append(int(logits[-1].argmax()))
        logits = engine.extend(ours[-1:])
    assert ours == theirs[0].tolist()


def test_going_back_and_on(checkpoint: Checkpoint, engine: TorchEngine) -> None:
    other = PROMPT[:30] + [790 - token for token in PROMPT[:40]]
    fed(engine, PROMPT, 64)
    engine.truncate(30)
    assert_close(fed(engine, other[30:], 16), logits_of(checkpoint.reference, other)[30:])


def test_bf16_is_as_near_as_the_references(checkpoint: Checkpoint) -> None:
    engine, _ = open_torch(resolve_folder(checkpoint.folder), device="cpu", dtype="bf16")
    ours = engine.extend(PROMPT, last=len(PROMPT)) - checkpoint.logits
    half = checkpoints.load_reference(checkpoint.folder, "bfloat16")
    theirs = logits_of(half, PROMPT) - checkpoint.logits
    assert np.sqrt((ours**2).mean()) <= 1.2 * np.sqrt((theirs**2).mean())


def test_what_is_saved_is_loaded_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    gpt, _ = load_gpt(resolve_folder(checkpoint.folder))
    save_gpt(gpt, checkpoint.folder, tmp_path / "saved")
    saved = checkpoints.load_reference(tmp_path / "saved")
    assert np.array_equal(logits_of(saved, PROMPT), checkpoint.logits)


@pytest.mark.parametrize("stale", [(), ("rope_parameters",), ("rope_scaling", "rope_theta")])
def test_the_keys_we_write_are_the_whole_shape(
    checkpoint: Checkpoint, stale: tuple[str, ...], tmp_path: Path
) -> None:
    """Readers of the old and of the new rotary keys find all they need."""
    config = resolve_folder(checkpoint.folder).config
    written = FAMILIES[config.architecture].write(config)
    data = {key: value for key, value in written.items() if key not in stale}
    folder = Path(shutil.copytree(checkpoint.folder, tmp_path / "copy"))
    # No shape, but a default outside of our vocabulary would be refused by the reference.
    text = json.dumps({"model_type": config.architecture, "pad_token_id": 0, **data})
    (folder / "config.json").write_text(text, "utf-8")
    assert resolve_folder(folder).config == config
    assert_close(logits_of(checkpoints.load_reference(folder), PROMPT), checkpoint.logits)


def test_older_files_mean_the_same(checkpoint: Checkpoint) -> None:
    data = json.loads((checkpoint.folder / "config.json").read_text("utf-8"))
    config = read_config(data)
    assert read_config(families.in_older_words(data)) == config


def test_its_size_is_known_from_headers(checkpoint: Checkpoint, engine: TorchEngine) -> None:
    info = inspect_model(checkpoint.folder)
    assert info.parameters == checkpoint.reference.num_parameters()
    assert engine.info.weight_bytes == 4 * info.parameters
    with torch.no_grad():
        cache = checkpoint.reference(torch.tensor([PROMPT[:1]]), use_cache=True).past_key_values
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert resolve_folder(checkpoint.folder).config.kv_bytes_per_token == kept
