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
from safetensors.torch import load_file, save_file

from gptdesk.checkpoints.families import FAMILIES, read_config
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.engines.torch_engine import TorchEngine, open_torch
from tests.helpers import checkpoints, families

TOLERANCE = 2e-4
NOISE = 1.2
PROMPT = [3 + 37 * i % 790 for i in range(100)]


@dataclass(frozen=True)
class Checkpoint:
    """A tiny model on disk, as the reference library sees it, and as we do."""

    folder: Path
    reference: Any
    logits: np.ndarray
    opened: TorchEngine


@pytest.fixture(scope="module", params=families.SHAPES)
def checkpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Checkpoint:
    folder = families.write(request.param, tmp_path_factory.mktemp("family") / "model")
    reference = checkpoints.load_reference(folder)
    opened, warnings = open_torch(resolve_folder(folder), device="cpu", dtype="fp32")
    assert warnings == []
    return Checkpoint(folder, reference, logits_of(reference, PROMPT), opened)


@pytest.fixture
def engine(checkpoint: Checkpoint) -> TorchEngine:
    checkpoint.opened.truncate(0)
    return checkpoint.opened


def logits_of(reference: Any, ids: list[int]) -> np.ndarray:
    with torch.no_grad():
        logits: np.ndarray = reference(torch.tensor([ids])).logits[0].float().numpy()
    return logits


def our_logits(folder: Path, dtype: str) -> np.ndarray:
    engine, _ = open_torch(resolve_folder(folder), device="cpu", dtype=dtype)
    return engine.extend(PROMPT, last=len(PROMPT))


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert np.abs(ours - theirs).max() <= TOLERANCE * np.abs(theirs).max()


def assert_as_near_in_bf16(folder: Path, exact: np.ndarray) -> None:
    """Our error in bfloat16 is the reference's own, give or take chance."""
    ours = our_logits(folder, "bf16") - exact
    theirs = logits_of(checkpoints.load_reference(folder, "bfloat16"), PROMPT) - exact
    assert np.sqrt((ours**2).mean()) <= NOISE * np.sqrt((theirs**2).mean())


def fed(engine: TorchEngine, ids: list[int], chunk: int) -> np.ndarray:
    parts = [ids[start : start + chunk] for start in range(0, len(ids), chunk)]
    return np.concatenate([engine.extend(part, last=len(part)) for part in parts])


def test_logits_in_chunks(checkpoint: Checkpoint, engine: TorchEngine) -> None:
    for chunk in (100, 64, 7, 1):
        engine.truncate(0)
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
    assert_as_near_in_bf16(checkpoint.folder, checkpoint.logits)


def test_channels_and_tokens_that_stand_out(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """As in trained models: a few channels a hundredfold, and a first token larger than all."""
    folder = Path(shutil.copytree(checkpoint.folder, tmp_path / "copy"))
    stored = load_file(folder / "model.safetensors")
    embedding = next(stored[name] for name in stored if name.endswith(families.EMBEDDINGS))
    embedding[:, [5, 23, 38]] *= 100
    embedding[PROMPT[0], 11] = 1000 * embedding.std()
    save_file(stored, folder / "model.safetensors", {"format": "pt"})
    theirs = logits_of(checkpoints.load_reference(folder), PROMPT)
    assert_close(our_logits(folder, "fp32"), theirs)
    assert_as_near_in_bf16(folder, theirs)


def test_what_is_saved_is_loaded_back(checkpoint: Checkpoint, tmp_path: Path) -> None:
    gpt, _ = load_gpt(resolve_folder(checkpoint.folder))
    save_gpt(gpt, checkpoint.folder, tmp_path / "saved")
    saved = checkpoints.load_reference(tmp_path / "saved")
    assert np.array_equal(logits_of(saved, PROMPT), checkpoint.logits)


def test_the_keys_we_write_are_the_whole_shape(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Readers of the old and of the new rotary keys find all they need."""
    from transformers import AutoConfig

    folder = Path(shutil.copytree(checkpoint.folder, tmp_path / "copy"))
    config = resolve_folder(folder).config
    # No shape, but a default outside of our vocabulary would be refused by the reference.
    named = {"model_type": config.architecture, "pad_token_id": 0}
    written = {**named, **FAMILIES[config.architecture].write(config)}
    for stale in ((), ("rope_parameters",), ("rope_scaling", "rope_theta")):
        data = {key: value for key, value in written.items() if key not in stale}
        assert read_config(data) == config
        assert read_config(AutoConfig.for_model(**data).to_dict()) == config
    (folder / "config.json").write_text(json.dumps(written), "utf-8")
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
