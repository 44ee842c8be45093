"""The shared checkpoints are what their docstrings promise: small, whole, distinct and decisive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from tests.helpers import checkpoints

PROMPT = "The lighthouse keeper wrote"


@pytest.fixture(params=["tiny_gpt2_dir", "tiny_llama_dir", "tiny_llama_tied_dir"])
def checkpoint(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def test_tokenizer_has_every_id_of_the_model_and_survives_a_round_trip(checkpoint: Path) -> None:
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    assert tokenizer.get_vocab_size() == config["vocab_size"] == checkpoints.VOCAB_SIZE
    for text in checkpoints.TOKENIZER_TEXT:
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_greedy_decoding_has_clear_winners_for_200_tokens(checkpoint: Path) -> None:
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    model = checkpoints.load_reference(checkpoint)
    prompt = torch.tensor([tokenizer.encode(PROMPT).ids])
    with torch.no_grad():
        ids = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=200, do_sample=False
        )
        best_two = model(ids).logits[0].topk(2).values
    assert ids.shape[1] == prompt.shape[1] + 200, "the end-of-text id came up; choose another seed"
    assert (best_two[:, 0] - best_two[:, 1]).min() > 1e-4, "too close to call; choose another seed"


def test_shards_hold_the_weights_of_the_single_file(
    tiny_llama_dir: Path, tiny_llama_sharded_dir: Path
) -> None:
    assert len(list(tiny_llama_sharded_dir.glob("*.safetensors"))) > 1
    single = checkpoints.load_reference(tiny_llama_dir).state_dict()
    sharded = checkpoints.load_reference(tiny_llama_sharded_dir).state_dict()
    assert single.keys() == sharded.keys()
    assert all(torch.equal(single[name], sharded[name]) for name in single)


def test_the_same_seed_writes_the_same_bytes(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    again = checkpoints.write_gpt2(tmp_path / "again")
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (again / name).read_bytes() == (tiny_gpt2_dir / name).read_bytes()
