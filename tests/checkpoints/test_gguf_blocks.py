"""Quantized blocks become the very numbers that the reference makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from gguf import quants
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gptdesk.checkpoints.block_decoding import DECODERS
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.stored_tensor import BLOCK_TYPES
from gptdesk.errors import Cancelled
from tests.helpers import checkpoints, gguf_files

_SCALES = {
    **dict.fromkeys(("Q4_0", "Q5_0", "Q8_0"), (0,)),
    **dict.fromkeys(("Q4_1", "Q5_1", "Q4_K", "Q5_K"), (0, 2)),
    "Q6_K": (208,),
}
"""Where the 16-bit floats of a block are."""

_WIDE = {"hidden_size": 256, "intermediate_size": 512, "head_dim": 64, "vocab_size": 800}


def random_blocks(kind: str, count: int, seed: int) -> NDArray[np.uint8]:
    """Blocks with any numbers and with scales such as trained weights have: (count, bytes)."""
    generator = np.random.default_rng(seed)
    blocks = generator.integers(0, 256, (count, BLOCK_TYPES[kind][1]), dtype=np.uint8)
    for place in _SCALES[kind]:
        scales = generator.uniform(1e-4, 1e-3, (count, 1)).astype(np.float16)
        blocks[:, place : place + 2] = scales.view(np.uint8)
    return blocks


def reference(kind: str, blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    with np.errstate(all="ignore"):
        return quants.dequantize(blocks, Kind[kind])


def test_sizes_of_blocks() -> None:
    assert {kind: gguf.GGML_QUANT_SIZES[Kind[kind]] for kind in DECODERS} == BLOCK_TYPES


@pytest.mark.parametrize("kind", DECODERS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_bytes_at_all(kind: str, data: st.DataObject) -> None:
    """Infinite and broken scales, too."""
    size = BLOCK_TYPES[kind][1]
    blocks = np.frombuffer(data.draw(st.binary(min_size=size, max_size=size)), np.uint8)[None]
    decoded = DECODERS[kind](torch.from_numpy(blocks.copy())).numpy()
    np.testing.assert_array_equal(decoded, reference(kind, blocks))
    assert decoded.dtype == np.float32


@pytest.mark.parametrize("kind", DECODERS)
def test_many_blocks(kind: str) -> None:
    blocks = random_blocks(kind, 3000, 1)
    decoded = DECODERS[kind](torch.from_numpy(blocks)).numpy()
    assert decoded.tobytes() == reference(kind, blocks).tobytes()


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama whose rows hold whole blocks of every type."""
    return checkpoints.write_llama(tmp_path_factory.mktemp("wide") / "original", **_WIDE)


def quantized(kind: str) -> Callable[[str, NDArray[Any]], tuple[NDArray[Any], Kind]]:
    """Random blocks in the shape of each matrix; what the package can quantize, it does."""

    def encode(name: str, values: NDArray[Any]) -> tuple[NDArray[Any], Kind]:
        if values.ndim == 1:
            return values, Kind.F32
        try:
            return quants.quantize(values, Kind[kind]), Kind[kind]
        except NotImplementedError:
            count = values.size // BLOCK_TYPES[kind][0]
            return random_blocks(kind, count, len(name)).reshape(len(values), -1), Kind[kind]

    return encode


def decoded(encode: Callable[..., Any]) -> Callable[[str, NDArray[Any]], tuple[NDArray[Any], Kind]]:
    """The same numbers, stored as 32-bit floats."""

    def plain(name: str, values: NDArray[Any]) -> tuple[NDArray[Any], Kind]:
        stored, kind = encode(name, values)
        return quants.dequantize(stored, kind), Kind.F32

    return plain


@pytest.mark.parametrize("kind", ["F16", "BF16", *DECODERS])
def test_a_model_of_each_type(wide: Path, tmp_path: Path, kind: str) -> None:
    """Its weights are those of the model made from the reference's numbers: permuted rows, too."""
    encode = quantized(kind)
    path = gguf_files.write_gguf(wide, tmp_path / "small.gguf", encode=encode)
    plain = gguf_files.write_gguf(wide, tmp_path / "plain.gguf", encode=decoded(encode))
    assert path.stat().st_size < plain.stat().st_size
    assert inspect_model(path).precision == {"F16": "fp16", "BF16": "bf16"}.get(kind, kind.lower())
    for dtype in (torch.float32, torch.bfloat16):
        ours, warnings = load_gpt(resolve_folder(path), dtype=dtype)
        theirs, _ = load_gpt(resolve_folder(plain), dtype=dtype)
        assert warnings == []
        pairs = zip(ours.named_parameters(), theirs.parameters(), strict=True)
        for (name, value), other in pairs:
            assert torch.equal(value, other), name


def test_broken_scales_are_told(wide: Path, tmp_path: Path) -> None:
    def encode(name: str, values: NDArray[Any]) -> tuple[NDArray[Any], Kind]:
        stored, kind = quantized("Q8_0")(name, values)
        if name == "blk.1.ffn_up.weight":
            stored[0, :2] = 0xFF  # not a number
        return stored, kind

    path = gguf_files.write_gguf(wide, tmp_path / "model.gguf", encode=encode)
    _, warnings = load_gpt(resolve_folder(path))
    assert "blk.1.ffn_up.weight" in warnings[0]


def test_cancelled_between_chunks(wide: Path, tmp_path: Path) -> None:
    class Later:
        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 5

    path = gguf_files.write_gguf(wide, tmp_path / "model.gguf", encode=quantized("Q4_K"))
    with pytest.raises(Cancelled):
        load_gpt(resolve_folder(path), cancel=Later())
