"""Checkpoints of nanoGPT's training script compute what their own model does, and can be saved."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import gptdesk
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.errors import CheckpointError, TokenizerError, UnsupportedModelError
from tests.helpers import checkpoints
from tests.helpers.damage import refused
from tests.helpers.nanogpt import ARGS, NanoGPT
from tests.helpers.pickles import saved

IDS = [3 + 37 * i % 790 for i in range(100)]


def expected(model: NanoGPT) -> np.ndarray:
    logits: np.ndarray = model(torch.tensor([IDS]))[0].numpy()
    return logits


def assert_close(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(found - wanted).max() <= 2e-5 * np.abs(wanted).max()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out-shakespeare"
    folder.mkdir()
    checkpoints.write_tokenizer(folder)
    return folder


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("options", [{}, {"prefix": "_orig_mod.", "masks": True}])
def test_the_same_logits(folder: Path, bias: bool, options: dict[str, Any]) -> None:
    reference = NanoGPT(bias=bias)
    wanted = expected(reference)
    path = reference.save(folder / "ckpt.pt", **options)
    for place in (folder, path):
        model = gptdesk.load(place, dtype="fp32")
        assert model.warnings == []
        assert_close(model.logits(IDS), wanted)
        model.close()


@pytest.mark.parametrize("bias", [True, False])
def test_saved_in_the_layout_of_gpt2(folder: Path, tmp_path: Path, bias: bool) -> None:
    reference = NanoGPT(bias=bias)
    wanted = expected(reference)
    reference.save(folder / "ckpt.pt")
    model = gptdesk.load(folder, dtype="fp32")
    gptdesk.save(model, tmp_path / "saved")
    model.close()
    twin = checkpoints.load_reference(tmp_path / "saved")
    with torch.no_grad():
        assert_close(twin(torch.tensor([IDS])).logits[0].numpy(), wanted)
    again = gptdesk.load(tmp_path / "saved", dtype="fp32")
    assert_close(again.logits(IDS), wanted)
    assert again.tokenizer.encode("The lighthouse") == model.tokenizer.encode("The lighthouse")
    again.close()


def test_headers_alone_describe_it(folder: Path) -> None:
    model = NanoGPT()
    model.save(folder / "ckpt.pt")
    info = inspect_model(folder)
    assert (info.kind, info.architecture, info.precision) == ("training", "gpt2", "fp32")
    assert info.parameters == sum(p.numel() for p in model.parameters())
    assert (info.context_length, info.vocab_size) == (128, 832)
    assert info.files == ("ckpt.pt", "tokenizer.json", "tokenizer_config.json")
    assert info.name == "out-shakespeare"


def test_an_output_matrix_that_was_not_tied(folder: Path) -> None:
    content = NanoGPT().checkpoint()
    head = torch.randn(ARGS["vocab_size"], ARGS["n_embd"])
    content["model"] = {**content["model"], "lm_head.weight": head}
    saved(folder / "ckpt.pt", content)
    gpt, _ = load_gpt(resolve_folder(folder))
    assert torch.equal(gpt.lm_head.weight, head)


def test_without_a_tokenizer(tmp_path: Path) -> None:
    NanoGPT().save(tmp_path / "ckpt.pt")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json") as caught:
        gptdesk.load(tmp_path)
    assert caught.value.hint


def test_weights_alone_do_not_tell_the_shape(folder: Path) -> None:
    saved(folder / "ckpt.pt", NanoGPT().state_dict())
    message = refused(folder)
    assert "model_args" in message
    assert "config.json" in message


@pytest.mark.parametrize(
    ("change", "error", "sign"),
    [
        ({"n_head": 5}, CheckpointError, "n_head"),
        ({"n_layer": "3"}, CheckpointError, "n_layer"),
        ({"n_embd": None}, CheckpointError, "n_embd"),
        ({"vocab_size": 10**12}, CheckpointError, "vocab_size"),
        ({"n_layer": 4}, CheckpointError, "transformer.h.3"),
        ({"block_size": 64}, CheckpointError, "wpe"),
        ({"n_kv_head": 2}, UnsupportedModelError, "n_kv_head"),
        ({"rope": torch.ones(2)}, UnsupportedModelError, "rope"),
    ],
)
def test_arguments_that_do_not_fit(
    folder: Path, change: dict[str, Any], error: type[CheckpointError], sign: str
) -> None:
    content = NanoGPT().checkpoint()
    content["model_args"] = {**content["model_args"], **change}
    saved(folder / "ckpt.pt", content)
    message = refused(folder, error)
    assert sign in message
    assert "ckpt.pt" in message or str(folder) in message


def test_several_checkpoints_and_no_config(folder: Path) -> None:
    for name in ("first.pt", "second.pt"):
        NanoGPT().save(folder / name)
    assert "several" in refused(folder)
    gpt, _ = load_gpt(resolve_folder(folder / "second.pt"))
    assert gpt.config.vocab_size == ARGS["vocab_size"]


def test_a_link_to_elsewhere(folder: Path, tmp_path: Path) -> None:
    NanoGPT().save(tmp_path / "elsewhere.pt")
    (folder / "ckpt.pt").symlink_to(tmp_path / "elsewhere.pt")
    assert "outside" in refused(folder)


def test_a_vocabulary_of_characters(tmp_path: Path) -> None:
    """As `prepare.py` of the Shakespeare example writes it; saved models keep it."""
    characters = [chr(33 + i) for i in range(94)]
    meta = {"vocab_size": 94, "stoi": {char: i for i, char in enumerate(characters)}}
    (tmp_path / "meta.pkl").write_bytes(pickle.dumps(meta))
    NanoGPT(vocab_size=94).save(tmp_path / "ckpt.pt")
    assert inspect_model(tmp_path).warnings == ()
    model = gptdesk.load(tmp_path, dtype="fp32")
    assert model.tokenizer.encode("Verona") == [characters.index(char) for char in "Verona"]
    gptdesk.save(model, tmp_path / "saved")
    again = gptdesk.load(tmp_path / "saved", dtype="fp32")
    assert np.array_equal(again.logits([1, 2, 3]), model.logits([1, 2, 3]))
    again.close()
    model.close()
