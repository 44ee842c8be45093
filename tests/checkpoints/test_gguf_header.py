"""Headers of GGUF files: what they say is read, what they lie is refused, whatever they hold."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gptdesk
from gptdesk.checkpoints import gguf_header
from gptdesk.checkpoints.gguf_header import TYPES, read_gguf_header
from gptdesk.checkpoints.stored_tensor import stored_bytes
from gptdesk.errors import CheckpointError, GptDeskError, UnsupportedModelError
from tests.helpers import checkpoints, gguf_files

_HUGE = 10**12


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def key(name: str, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> bytes:
    form = f"<I{len(shape)}QIQ"
    return text(name) + struct.pack(form, len(shape), *shape, kind, offset)


def file_of(
    *parts: bytes,
    keys: int = 0,
    tensors: int = 0,
    version: int = 3,
    magic: bytes = b"GGUF",
    data: bytes = b"",
) -> bytes:
    header = magic + struct.pack("<IQQ", version, tensors, keys) + b"".join(parts)
    return header + b"\0" * (-len(header) % 32) + data


LIES = {
    "nothing at all": b"",
    "four letters": b"GGUF",
    "no header": b"GGUF\3\0\0\0",
    "another format": file_of(magic=b"GGML"),
    "a billion keys": file_of(keys=_HUGE),
    "more keys than bytes": file_of(keys=9000),
    "a billion tensors": file_of(tensors=_HUGE),
    "the largest counts": file_of(keys=2**64 - 1, tensors=2**64 - 1),
    "a key without a name": file_of(key("", 4, b"\0" * 4), keys=1),
    "a key that is no text": file_of(key("a\n", 4, b"\0" * 4), keys=1),
    "a key of a billion letters": file_of(struct.pack("<Q", _HUGE) + b"\0" * 40, keys=1),
    "a value of no type": file_of(key("a", 99, b"\0" * 40), keys=1),
    "the same key twice": file_of(key("a", 4, b"\1\0\0\0") * 2, keys=2),
    "a text of a billion letters": file_of(
        key("a", 8, struct.pack("<Q", _HUGE) + b"\0" * 9), keys=1
    ),
    "a billion numbers": file_of(key("a", 9, struct.pack("<IQ", 4, _HUGE) + b"\0" * 9), keys=1),
    "a billion texts": file_of(key("a", 9, struct.pack("<IQ", 8, _HUGE) + b"\0" * 9), keys=1),
    "texts beyond the end": file_of(
        key("a", 9, struct.pack("<IQ", 8, 2) + struct.pack("<Q", 2**63) + b"\0" * 40), keys=1
    ),
    "lists of lists": file_of(
        key("a", 9, struct.pack("<IQ", 9, 1) * 50 + struct.pack("<IQ", 0, 0)), keys=1
    ),
    "an alignment of zero": file_of(key("general.alignment", 4, b"\0" * 4), keys=1),
    "an alignment of three": file_of(key("general.alignment", 4, b"\3\0\0\0"), keys=1),
    "a huge alignment": file_of(key("general.alignment", 4, b"\0\0\0\x40"), keys=1),
    "an alignment that is a text": file_of(key("general.alignment", 8, text("32")), keys=1),
    "a tensor without a name": file_of(tensor("", (8,)), tensors=1, data=b"\0" * 32),
    "a tensor of no dimensions": file_of(tensor("a", ()) + b"\0" * 8, tensors=1, data=b"\0" * 32),
    "a tensor of a billion dimensions": file_of(
        text("a") + struct.pack("<I", 2**32 - 1) + b"\0" * 40, tensors=1
    ),
    "a dimension of zero": file_of(tensor("a", (0, 8)), tensors=1, data=b"\0" * 32),
    "a negative dimension": file_of(tensor("a", (2**64 - 1,)), tensors=1, data=b"\0" * 32),
    "dimensions whose product overflows": file_of(
        tensor("a", (2**32, 2**32)), tensors=1, data=b"\0" * 32
    ),
    "rows that cut blocks": file_of(tensor("a", (16, 2), 8), tensors=1, data=b"\0" * 34),
    "data beyond the end": file_of(tensor("a", (9,)), tensors=1, data=b"\0" * 32),
    "data far beyond the end": file_of(tensor("a", (8,), 0, 2**63), tensors=1, data=b"\0" * 32),
    "data out of line": file_of(tensor("a", (8,), 0, 4), tensors=1, data=b"\0" * 64),
    "the same tensor twice": file_of(tensor("a", (8,)) * 2, tensors=2, data=b"\0" * 64),
    "tensors over each other": file_of(
        tensor("a", (8,)), tensor("b", (8,)), tensors=2, data=b"\0" * 64
    ),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("gguf")
    folder = checkpoints.write_llama(place / "original", num_hidden_layers=1)
    return gguf_files.write_gguf(folder, place / "model.gguf", "F16")


def test_numbers_of_types() -> None:
    for number, name in TYPES.items():
        kind = gguf.GGMLQuantizationType(number)
        per_block, nbytes = gguf.GGML_QUANT_SIZES[kind]
        assert (kind.name, nbytes) == (name, stored_bytes(name, (per_block,)))


def test_agrees_with_the_package(model: Path) -> None:
    ours = read_gguf_header(model)
    theirs = gguf.GGUFReader(model)
    for tensor in theirs.tensors:
        stored = ours.tensors[tensor.name]
        assert stored.shape == tuple(int(size) for size in reversed(tensor.shape))
        assert (stored.dtype, stored.offset) == (tensor.tensor_type.name, tensor.data_offset)
        assert stored.nbytes == tensor.n_bytes
    tokens = theirs.get_field("tokenizer.ggml.tokens")
    assert tokens is not None
    assert ours.texts("tokenizer.ggml.tokens") == tokens.contents()
    types = theirs.get_field("tokenizer.ggml.token_type")
    assert types is not None
    assert ours.numbers("tokenizer.ggml.token_type") == types.contents()
    assert ours.metadata["llama.block_count"] == 1
    assert ours.metadata["general.architecture"] == "llama"


def test_every_type_of_value(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    values: dict[str, tuple[Callable[[str, Any], None], Any]] = {
        "u8": (writer.add_uint8, 200),
        "i8": (writer.add_int8, -3),
        "u16": (writer.add_uint16, 60_000),
        "i16": (writer.add_int16, -300),
        "u32": (writer.add_uint32, 4_000_000_000),
        "i32": (writer.add_int32, -70_000),
        "f32": (writer.add_float32, 0.5),
        "u64": (writer.add_uint64, 2**63),
        "i64": (writer.add_int64, -(2**40)),
        "f64": (writer.add_float64, 0.1),
        "bool": (writer.add_bool, True),
        "text": (writer.add_string, "灯塔"),
        "texts": (writer.add_array, ["a", "灯"]),
        "numbers": (writer.add_array, [1, 2, 3]),
    }
    for name, (add, value) in values.items():
        add(name, value)
    writer.add_tensor("a", np.zeros(3, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_gguf_header(tmp_path / "a.gguf")
    for name, (_, value) in values.items():
        assert (header.texts(name) if name == "texts" else header.metadata[name]) == value


def test_lies_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    for name, content in LIES.items():
        path.write_bytes(content)
        with pytest.raises(CheckpointError) as caught:
            read_gguf_header(path)
        assert type(caught.value) is CheckpointError, name
        assert str(path) in caught.value.title
        assert caught.value.hint


def test_a_file_that_is_mostly_a_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may well be as long as its header says; what is in it decides about memory."""
    monkeypatch.setattr(gguf_header, "_MAX_HEADER_BYTES", 1 << 20)
    path = tmp_path / "model.gguf"
    for kind in (8, 4, 0):
        array = struct.pack("<IQ", kind, 10**9)
        path.write_bytes(file_of(key("a", 9, array), keys=1))
        with path.open("r+b") as file:
            file.truncate(10**10)
        tracemalloc.start()
        with pytest.raises(CheckpointError) as caught:
            read_gguf_header(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert "longer than 1 MiB" in caught.value.details
        assert peak < 8 << 20


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (file_of(version=1), "version 1"),
        (file_of(version=4), "version 4"),
        (file_of(version=3 << 24), "big-endian"),
        (file_of(tensor("blk.0.attn_q.weight", (256,), 23), tensors=1), "IQ4_XS"),
        (file_of(tensor("blk.0.attn_q.weight", (256,), 77), tensors=1), "unknown type 77"),
    ],
)
def test_what_is_well_formed_and_not_read(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(content)
    with pytest.raises(UnsupportedModelError) as caught:
        read_gguf_header(tmp_path / "model.gguf")
    assert told in caught.value.title
    if "attn_q" in str(content):
        assert "blk.0.attn_q.weight" in caught.value.title


@settings(max_examples=60)
@given(st.data())
def test_flipped_bits_and_missing_ends(
    model: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any damage either goes unnoticed, as in a token's text, or is one of our errors."""
    content = bytearray(model.read_bytes())
    header_end = min(entry.offset for entry in read_gguf_header(model).tensors.values())
    for place in data.draw(st.lists(st.integers(0, header_end), max_size=4)):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(content)
    with contextlib.suppress(GptDeskError):
        gptdesk.inspect(path)
        gptdesk.load(path).close()


@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated(model: Path, tmp_path: Path, part: float) -> None:
    data = model.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(CheckpointError, match="damaged"):
        gptdesk.inspect(path)
