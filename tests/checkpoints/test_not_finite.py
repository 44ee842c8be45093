"""Weights that are NaN or infinite are loaded in every format, with a warning that names the tensor."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.weight_formats import read_headers
from tests.helpers import checkpoints, nanogpt
from tests.helpers.damage import WEIGHTS
from tests.helpers.gguf_files import write_gguf
from tests.helpers.pickles import pickled_twin

NAN = {"F32": b"\0\0\xc0\x7f", "F16": b"\0\x7e", "BF16": b"\xc0\x7f"}
INFINITE = {"F32": b"\0\0\x80\xff", "F16": b"\0\xfc", "BF16": b"\x80\xff"}
SCALE_AT = {"Q4_0": 0, "Q5_0": 0, "Q8_0": 0}  # a factor in half precision
LAYER = {"gguf": "blk.1.ffn_up.weight", "nanogpt": "transformer.h.1.mlp.c_fc.weight"}
HALVES = {"F16": torch.float16, "BF16": torch.bfloat16}


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose rows hold whole blocks of every type."""
    return checkpoints.write_llama(
        tmp_path_factory.mktemp("wide") / "model", hidden_size=256, intermediate_size=256
    )


def write(kind: str, stored: str, wide: Path, folder: Path) -> Path:
    """The model in one of the formats, in a folder of its own."""
    if kind == "gguf":
        folder.mkdir()
        return write_gguf(wide, folder / "model.gguf", stored)
    if kind == "nanogpt":
        folder.mkdir()
        return nanogpt.NanoGPT().save(folder / "ckpt.pt")
    if kind == "pickle":
        return pickled_twin(wide, folder)
    shutil.copytree(wide, folder)
    if stored in HALVES:
        tensors = {name: t.to(HALVES[stored]) for name, t in load_file(folder / WEIGHTS).items()}
        save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    return folder


@pytest.mark.parametrize("values", [NAN, INFINITE], ids=["nan", "infinite"])
@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        *(("safetensors", name) for name in ("F32", "F16", "BF16")),
        ("pickle", "F32"),
        ("nanogpt", "F32"),
        *(("gguf", name) for name in ("F32", "F16", "BF16", "Q8_0", "Q5_0", "Q4_0")),
    ],
)
def test_the_tensor_is_named(
    kind: str, stored: str, values: dict[str, bytes], wide: Path, tmp_path: Path
) -> None:
    path = write(kind, stored, wide, tmp_path / "model")
    name = LAYER.get(kind, "model.layers.1.mlp.up_proj.weight")
    put(path, name, values)
    _, warnings = load_gpt(resolve_folder(path))
    assert len(warnings) == 1
    assert name in warnings[0]


def put(path: Path, name: str, values: dict[str, bytes]) -> None:
    """Write a value over the first number of a tensor, or over the factor of its first block."""
    entry = read_headers(resolve_folder(path))[name]
    with entry.path.open("r+b") as file:
        file.seek(entry.offset + SCALE_AT.get(entry.dtype, 0))
        file.write(values["F16" if entry.dtype in SCALE_AT else entry.dtype])
