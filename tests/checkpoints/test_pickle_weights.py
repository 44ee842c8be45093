"""Pickled weights load to the same bits as their safetensors twin, from a folder or a file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from tests.helpers.damage import WEIGHTS, refused
from tests.helpers.pickles import PICKLE, PICKLE_INDEX, load_folder, pickled_twin, saved

SOURCES = ["tiny_gpt2_dir", "tiny_llama_dir", "tiny_llama_tied_dir"]


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def assert_same(path: Path, source: Path, dtype: torch.dtype = torch.float32) -> None:
    """Loading `path` and `source` gives the same config, bits and warnings."""
    (gpt, warnings), (twin, expected) = (
        load_gpt(resolve_folder(place), dtype=dtype) for place in (path, source)
    )
    assert warnings == expected
    assert gpt.config == twin.config
    wanted = twin.state_dict()
    assert gpt.state_dict().keys() == wanted.keys()
    assert all(torch.equal(value, wanted[name]) for name, value in gpt.state_dict().items())


@pytest.mark.parametrize("shards", [1, 3])
def test_the_same_bits_as_safetensors(source: Path, tmp_path: Path, shards: int) -> None:
    folder = pickled_twin(source, tmp_path / "pickled", shards)
    assert_same(folder, source)
    assert_same(folder, source, torch.bfloat16)
    for file in sorted(folder.glob("*.bin")):
        assert_same(file, source)


def test_headers_alone_describe_it(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = pickled_twin(tiny_llama_dir, tmp_path / "pickled")
    info, twin = inspect_model(folder), inspect_model(tiny_llama_dir)
    assert (info.parameters, info.precision) == (twin.parameters, twin.precision)
    assert PICKLE in info.files


def test_looking_at_it_needs_no_torch(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = pickled_twin(tiny_llama_dir, tmp_path / "pickled", shards=2)
    code = (
        "import sys; from gptdesk.checkpoints.inspection import inspect_model\n"
        "print(inspect_model(sys.argv[1]).precision); assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "fp32"


def test_safetensors_come_first(folder: Path) -> None:
    (folder / PICKLE).write_bytes(b"never opened")
    found = resolve_folder(folder)
    assert found.weights == "safetensors"
    assert [path.name for path in found.weight_files] == [WEIGHTS]
    assert resolve_folder(folder / PICKLE).weights == "pickle", "unless it is the file chosen"


@pytest.mark.parametrize("name", ["model.pt", "best.pth", "step_100.ckpt"])
def test_any_file_beside_a_config(tiny_gpt2_dir: Path, tmp_path: Path, name: str) -> None:
    folder = pickled_twin(tiny_gpt2_dir, tmp_path / "pickled")
    (folder / PICKLE).rename(folder / name)
    torch.save({"lr": 0.1}, folder / "optimizer.pt")
    torch.save({}, folder / "training_args.bin")
    assert_same(folder, tiny_gpt2_dir)
    assert_same(folder / name, tiny_gpt2_dir)


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict"])
def test_weights_inside_a_checkpoint(tiny_gpt2_dir: Path, tmp_path: Path, key: str) -> None:
    """With what `torch.compile` and DataParallel put in front of names, and an optimizer."""
    folder = pickled_twin(tiny_gpt2_dir, tmp_path / "pickled")
    tensors = {f"_orig_mod.module.{n}": t for n, t in load_folder(tiny_gpt2_dir).items()}
    first = next(iter(tensors.values())).requires_grad_()
    optimizer = torch.optim.AdamW([first])
    first.sum().backward()
    optimizer.step()
    wanted = {n: t.detach().clone() for n, t in tensors.items()}
    content = {key: wanted, "optimizer": optimizer.state_dict(), "step": 7, "loss": torch.ones(())}
    saved(folder / PICKLE, content)
    gpt, _ = load_gpt(resolve_folder(folder))
    embedding = wanted["_orig_mod.module.transformer.wte.weight"]
    assert torch.equal(gpt.model.embed_tokens.weight, embedding)


def test_views_that_do_not_lie_row_by_row(tiny_llama_dir: Path, tmp_path: Path) -> None:
    """Transposed, cut out of a larger matrix, every second row, shared, of two precisions."""
    folder = pickled_twin(tiny_llama_dir, tmp_path / "pickled")
    tensors = load_folder(tiny_llama_dir)
    tensors["model.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].t().contiguous().t()
    names = [f"model.layers.0.mlp.{part}_proj.weight" for part in ("gate", "up")]
    fused = torch.cat([tensors[name] for name in names], dim=1)
    tensors |= dict(zip(names, fused.split(64, dim=1), strict=True))
    norm = tensors["model.norm.weight"]
    tensors["model.norm.weight"] = norm.repeat_interleave(2)[::2]
    saved(folder / PICKLE, {name: torch.nn.Parameter(value) for name, value in tensors.items()})
    assert_same(folder, tiny_llama_dir)
    assert_same(folder, tiny_llama_dir, torch.bfloat16)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_precisions(tiny_llama_dir: Path, tmp_path: Path, dtype: torch.dtype) -> None:
    folder = pickled_twin(tiny_llama_dir, tmp_path / "pickled")
    rounded = {name: value.to(dtype) for name, value in load_folder(tiny_llama_dir).items()}
    saved(folder / PICKLE, rounded)
    gpt, _ = load_gpt(resolve_folder(folder))
    wanted = rounded["model.layers.1.mlp.up_proj.weight"].float()
    assert torch.equal(gpt.state_dict()["model.layers.1.mlp.up_proj.weight"], wanted)


def test_tied_weights_share_one_storage(tiny_llama_tied_dir: Path, tmp_path: Path) -> None:
    folder = pickled_twin(tiny_llama_tied_dir, tmp_path / "pickled")
    tensors = load_folder(tiny_llama_tied_dir)
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    saved(folder / PICKLE, tensors)
    assert_same(folder, tiny_llama_tied_dir)


def test_an_output_matrix_of_its_own_is_believed(tiny_llama_tied_dir: Path, tmp_path: Path) -> None:
    """Same bytes, other order: a square view of the embedding is not the embedding."""
    folder = pickled_twin(tiny_llama_tied_dir, tmp_path / "pickled")
    tensors = load_folder(tiny_llama_tied_dir)
    shape = tensors["model.embed_tokens.weight"].shape
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].view(shape[::-1]).t()
    saved(folder / PICKLE, tensors)
    gpt, warnings = load_gpt(resolve_folder(folder))
    assert torch.equal(gpt.lm_head.weight, tensors["lm_head.weight"])
    assert any("two different ones" in warning for warning in warnings)


def test_links_of_the_download_cache(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = pickled_twin(tiny_llama_dir, tmp_path / "pickled", shards=2)
    repository = tmp_path / "models--owner--tiny"
    snapshot = repository / "snapshots" / "abc"
    (repository / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(folder.iterdir())):
        shutil.move(file, repository / "blobs" / str(number))
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")
    assert_same(snapshot, tiny_llama_dir)


def test_an_index_that_leads_outside(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = pickled_twin(tiny_llama_dir, tmp_path / "pickled", shards=2)
    shutil.move(folder / "pytorch_model-00001-of-00002.bin", tmp_path / "elsewhere.bin")
    text = (folder / PICKLE_INDEX).read_text("utf-8")
    changed = text.replace("pytorch_model-00001-of-00002.bin", "../elsewhere.bin")
    (folder / PICKLE_INDEX).write_text(changed, "utf-8")
    assert "outside" in refused(folder)
