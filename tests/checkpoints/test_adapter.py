"""LoRA adapters that `peft` wrote, and ours that `peft` reads, for every family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from gptdesk.checkpoints.adapter import load_adapter
from gptdesk.checkpoints.adapter_info import inspect_adapter
from gptdesk.checkpoints.adapter_saver import save_adapter
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.saver import save_gpt
from gptdesk.errors import CheckpointError, EngineError
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import LoraSettings, add_lora, find_adapter, merge_adapter, remove_adapter
from tests.helpers import adapters, checkpoints, families

IDS = [(7 * n + 3) % 800 for n in range(60)]
CLOSE = 2e-4
# One shape of each family; the fused and interleaved projections are among them.
FAMILIES = (
    "llama 3.2: positions of 3.1, tied, own head width",
    "mistral with a window",
    "qwen2.5",
    "qwen3",
    "gemma",
    "gemma2",
    "gemma3",
    "phi3",
    "smollm3",
    "granite",
    "olmo2",
    "gpt2, scaled by layer, upcast attention, exact gelu",
    "gpt neo",
    "gptj",
    "pythia",
    "phi 1.5",
)
FUSED = ("gpt2", "phi3", "pythia")
OPTIONS: dict[str, dict[str, Any]] = {
    "the usual": {"target_modules": ["c_attn"], "use_rslora": True, "lora_alpha": 5},
    "other ranks and alphas": {
        "target_modules": "all-linear",
        "rank_pattern": {"h.0.attn.c_attn": 2},
        "alpha_pattern": {r"h\.\d+\.mlp.c_fc": 9, "transformer.h.1.attn.c_proj": 1},
    },
    "a regular expression": {"target_modules": r".*\.[12]\.(attn|mlp)\.c_proj"},
    "some layers": {"target_modules": ["c_attn", "c_fc"], "layers_to_transform": [0, 2]},
    "excluded modules": {"target_modules": ["c_proj"], "exclude_modules": ["mlp.c_proj"]},
    "embeddings": {"target_modules": ["c_attn", "wte", "wpe"], "modules_to_save": ["ln_f"]},
    "the tied output matrix": {"target_modules": ["lm_head"]},
    "a whole embedding": {"target_modules": ["c_attn"], "modules_to_save": ["wte"]},
    "a whole output matrix": {"target_modules": ["c_attn"], "modules_to_save": ["lm_head"]},
}


def load(folder: Path) -> GPT:
    return load_gpt(resolve_folder(folder))[0]


def logits(gpt: GPT, ids: Sequence[int] = IDS) -> NDArray[np.float32]:
    with torch.no_grad():
        result: NDArray[np.float32] = gpt(torch.tensor([list(ids)]))[0].numpy()
    return result


def from_transformers(folder: Path) -> NDArray[np.float32]:
    with torch.no_grad():
        result: NDArray[np.float32] = (
            checkpoints.load_reference(folder)(torch.tensor([IDS])).logits[0].numpy()
        )
    return result


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_computes_what_peft_computes(name: str, tmp_path: Path) -> None:
    model = families.write(name, tmp_path / "model")
    folder = adapters.write(model, tmp_path / "adapter", r=4, target_modules="all-linear")
    gpt = load(model)
    base = logits(gpt)
    assert load_adapter(gpt, folder) == []
    on = logits(gpt)
    wanted = adapters.reference_logits(model, folder, IDS)
    assert adapters.difference(on, wanted) <= CLOSE < adapters.difference(base, wanted)
    save_adapter(gpt, tmp_path / "again")
    assert_same_tensors(tmp_path / "again", folder)
    save_gpt(gpt, model, tmp_path / "merged")
    assert adapters.difference(from_transformers(tmp_path / "merged"), wanted) <= CLOSE


def assert_same_tensors(one: Path, other: Path) -> None:
    """What was fused, cut and reordered comes back as it was, bit for bit."""
    tensors, wanted = (load_file(folder / adapters.WEIGHTS) for folder in (one, other))
    assert tensors.keys() == wanted.keys()
    assert all(torch.equal(tensors[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize("name", ["llama 3.1 positions", *FUSED])
@pytest.mark.parametrize(
    "settings",
    [
        LoraSettings(rank=2),
        LoraSettings(
            rank=4,
            alpha=5,
            rslora=True,
            target_modules=("v_proj", "layers.1.self_attn.q_proj", "mlp.up_proj", "lm_head"),
            rank_pattern={"v_proj": 3},
            alpha_pattern={"lm_head": 2},
        ),
    ],
    ids=["everything", "a selection"],
)
def test_what_was_added_here_is_the_same_in_peft(
    name: str, settings: LoraSettings, tmp_path: Path
) -> None:
    model = families.write(name, tmp_path / "model")
    gpt = load(model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        for layer in add_lora(gpt, settings).layers.values():
            torch.nn.init.normal_(layer.lora_B, std=0.1)
    on = logits(gpt)
    save_adapter(gpt, tmp_path / "adapter", "tiny")
    wanted = adapters.reference_logits(model, tmp_path / "adapter", IDS)
    assert adapters.difference(on, wanted) <= CLOSE
    remove_adapter(gpt)
    load_adapter(gpt, tmp_path / "adapter")
    assert adapters.difference(logits(gpt), on) <= 1e-5
    assert inspect_adapter(tmp_path / "adapter").base == "tiny"


@pytest.mark.parametrize("name", OPTIONS)
def test_the_options_of_peft(name: str, tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    folder = adapters.write(tiny_gpt2_dir, tmp_path / "adapter", **{"r": 4, **OPTIONS[name]})
    gpt = load(tiny_gpt2_dir)
    base = logits(gpt)
    load_adapter(gpt, folder)
    on = logits(gpt)
    wanted = adapters.reference_logits(tiny_gpt2_dir, folder, IDS)
    assert adapters.difference(on, wanted) <= CLOSE < adapters.difference(base, wanted)
    save_adapter(gpt, tmp_path / "again")
    again = adapters.reference_logits(tiny_gpt2_dir, tmp_path / "again", IDS)
    assert adapters.difference(again, wanted) <= CLOSE
    remove_adapter(gpt)
    assert np.array_equal(logits(gpt), base)
    load_adapter(gpt, folder)
    merge_adapter(gpt)
    assert adapters.difference(logits(gpt), on) <= 1e-5


def test_older_names_and_a_pickle(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = adapters.write(
        tiny_llama_dir, tmp_path / "a", r=4, target_modules=["q_proj"], modules_to_save=["lm_head"]
    )
    gpt = load(tiny_llama_dir)
    load_adapter(gpt, folder)
    wanted = logits(gpt)
    tensors = load_file(folder / adapters.WEIGHTS)
    old = {
        name.replace("lora_A", "lora_A.default").replace("lm_head", "lm_head.modules_to_save"): t
        for name, t in tensors.items()
    }
    (folder / adapters.WEIGHTS).unlink()
    torch.save(old, folder / "adapter_model.bin")
    load_adapter(gpt, folder)
    assert np.array_equal(logits(gpt), wanted)


def test_an_adapter_of_the_inner_model(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = adapters.write(tiny_llama_dir, tmp_path / "a", r=4, target_modules=["q_proj"])
    gpt = load(tiny_llama_dir)
    load_adapter(gpt, folder)
    wanted = logits(gpt)
    adapters.change_tensors(
        folder,
        lambda tensors: {
            name.replace(".model.model.", ".model."): t for name, t in tensors.items()
        },
    )
    load_adapter(gpt, folder)
    assert np.array_equal(logits(gpt), wanted)


def test_a_module_that_was_renamed(tmp_path: Path) -> None:
    model = families.write("pythia", tmp_path / "model")
    folder = adapters.write(model, tmp_path / "a", r=4, target_modules=["lm_head"])
    wanted = adapters.reference_logits(model, folder, IDS)
    gpt = load(model)
    load_adapter(gpt, folder)
    assert adapters.difference(logits(gpt), wanted) <= CLOSE
    adapters.set_options(folder, target_modules=["embed_out"])
    adapters.change_tensors(
        folder, lambda tensors: {n.replace("lm_head", "embed_out"): t for n, t in tensors.items()}
    )
    load_adapter(gpt, folder)
    assert adapters.difference(logits(gpt), wanted) <= CLOSE


def test_half_precision(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = adapters.write(tiny_llama_dir, tmp_path / "a", r=4, target_modules="all-linear")
    wanted = adapters.reference_logits(tiny_llama_dir, folder, IDS)
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir), dtype=torch.bfloat16)
    load_adapter(gpt, folder)
    with torch.no_grad():
        found = gpt(torch.tensor([IDS]))[0].float().numpy()
    assert adapters.difference(found, wanted) <= 0.05
    assert {value.dtype for value in gpt.parameters()} == {torch.bfloat16}


def test_what_an_adapter_says_of_itself(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    folder = adapters.write(
        tiny_gpt2_dir,
        tmp_path / "letters",
        r=4,
        lora_alpha=12,
        target_modules=["c_attn"],
        rank_pattern={"h.0.attn.c_attn": 2},
        modules_to_save=["ln_f"],
    )
    info = inspect_adapter(folder)
    assert (info.name, info.base) == ("letters", str(tiny_gpt2_dir))
    assert (info.ranks, info.alpha, info.modules) == ((2, 4), 12, ("attn.c_attn",))
    assert info.replaced == ("transformer.ln_f.bias", "transformer.ln_f.weight")
    assert info.parameters == 10 * (64 + 192) + 128
    assert (info.precision, info.bytes_on_disk) == ("fp32", 4 * info.parameters)
    assert inspect_adapter(folder / adapters.WEIGHTS) == info


def test_saving_is_refused_in_words(tiny_llama_dir: Path, tmp_path: Path) -> None:
    gpt = load(tiny_llama_dir)
    with pytest.raises(EngineError, match="no adapter"):
        save_adapter(gpt, tmp_path / "a")
    add_lora(gpt)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(CheckpointError, match="already holds files"):
        save_adapter(gpt, tmp_path / "full")
    assert find_adapter(gpt) is not None
