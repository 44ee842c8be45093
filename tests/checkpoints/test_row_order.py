"""Rows in another order: undone by loading, done again by saving, and stored under other names."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.row_order import RowOrder
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.engines.torch_engine import open_torch
from tests.helpers import families

IDS = list(range(40, 70))


def test_interleaved_parts_are_cut_apart() -> None:
    stored = ["q0", "q0'", "k0", "k0'", "v0", "v0'", "q1", "q1'", "k1", "k1'", "v1", "v1'"]
    rows = RowOrder(heads=2, head_dim=2, parts=3).stored_rows()
    ours = [stored[row] for row in rows]
    assert ours == ["q0", "q0'", "q1", "q1'", "k0", "k0'", "k1", "k1'", "v0", "v0'", "v1", "v1'"]


def test_pairs_of_neighbours_end_half_of_the_turned_dimensions_apart() -> None:
    rows = RowOrder(heads=2, head_dim=6, paired=4).stored_rows()
    assert rows == [0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11]


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 3))
def test_it_is_a_permutation(heads: int, pairs: int, kept: int, parts: int) -> None:
    order = RowOrder(heads=heads, head_dim=2 * pairs + kept, parts=parts, paired=2 * pairs)
    assert sorted(order.stored_rows()) == list(range(heads * parts * order.head_dim))


@pytest.fixture(scope="module", params=["pythia", "gptj", "gpt neo", "phi 1.5"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return families.write(request.param, tmp_path_factory.mktemp("family") / "model")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_saved_is_what_was_loaded(folder: Path, dtype: torch.dtype, tmp_path: Path) -> None:
    gpt, _ = load_gpt(resolve_folder(folder), dtype=dtype)
    save_gpt(gpt, folder, tmp_path / "saved")
    before = load_file(folder / "model.safetensors")
    after = load_file(tmp_path / "saved" / "model.safetensors")
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor.to(dtype)), name


def test_names_and_buffers_of_other_versions(folder: Path, tmp_path: Path) -> None:
    """Without the inner model's prefix, with masks and angles that can be computed."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    stored = load_file(copy / "model.safetensors")
    old = {name.split(".", 1)[1] if _is_inner(name) else name: stored[name] for name in stored}
    if "embed_out.weight" in old:
        old["lm_head.weight"] = old.pop("embed_out.weight")
    layers = "h" if "wte.weight" in old else "layers"
    for layer in range(3):
        for name in _BUFFERS[resolve_folder(folder).config.architecture]:
            old[f"{layers}.{layer}.{name}"] = torch.ones(2)
    save_file(old, copy / "model.safetensors", {"format": "pt"})
    assert np.array_equal(logits_of(copy), logits_of(folder))


_BUFFERS = {
    "gpt_neo": ["attn.attention.bias", "attn.attention.masked_bias"],
    "gptj": ["attn.bias", "attn.masked_bias", "attn.embed_positions"],
    "gpt_neox": ["attention.bias", "attention.masked_bias", "attention.rotary_emb.inv_freq"],
    "phi": ["self_attn.rotary_emb.inv_freq"],
}


def _is_inner(name: str) -> bool:
    return name.startswith(("transformer.", "gpt_neox.", "model."))


def logits_of(folder: Path) -> np.ndarray:
    engine, warnings = open_torch(resolve_folder(folder), device="cpu", dtype="fp32")
    assert warnings == []
    return engine.extend(IDS, last=len(IDS))
