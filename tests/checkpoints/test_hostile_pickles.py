"""Pickles that are damaged, lie about sizes or carry code: refused, quickly, and nothing runs."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.checkpoints.pickle_agreement import check_agreement
from gptdesk.checkpoints.pickle_header import read_header
from gptdesk.errors import CheckpointError, UnsupportedModelError
from tests.helpers.damage import refused
from tests.helpers.pickles import (
    PICKLE,
    edit_description,
    pickled_twin,
    replace_description,
    rewrite,
    saved,
)


@pytest.fixture
def pickled(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    return pickled_twin(tiny_llama_dir, tmp_path / "pickled")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of three tensors, to be read by itself."""
    tensors = {"a": torch.arange(12.0).view(3, 4), "b": torch.ones(5), "c": torch.zeros(2, 2)}
    return saved(tmp_path / "small.bin", tensors)


class Acting:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_code_is_named_and_not_run(pickled: Path, tmp_path: Path, protocol: int) -> None:
    torch.save({"x": Acting(tmp_path / "executed")}, pickled / PICKLE, pickle_protocol=protocol)
    message = refused(pickled, UnsupportedModelError)
    assert "mkdir" in message
    assert PICKLE in message
    assert not (tmp_path / "executed").exists()


def test_a_whole_module_is_not_unpickled(pickled: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), pickled / PICKLE)
    assert "Linear" in refused(pickled, UnsupportedModelError)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.ckpt"])
def test_pickles_without_a_zip_file(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Acting(tmp_path / "executed")))
    assert "pickle" in refused(folder, UnsupportedModelError)
    assert "pickle" in refused(folder / name, UnsupportedModelError)
    assert not (tmp_path / "executed").exists()


def test_the_format_before_1_6_is_named(pickled: Path) -> None:
    torch.save({"a": torch.ones(2)}, pickled / PICKLE, _use_new_zipfile_serialization=False)
    assert "1.6" in refused(pickled, UnsupportedModelError)


def test_a_program_for_torchscript(pickled: Path) -> None:
    rewrite(pickled / PICKLE, more={"pytorch_model/constants.pkl": b""})
    assert PICKLE in refused(pickled)


GLOBALS = [
    (b"cbuiltins\nbytearray\n", b"\x8a\x05\x00\xe4\x0bT\x02\x85R"),  # 10^10 zeros
    (b"ctorch\nFloatTensor\n", b"\x8a\x05\x00\xe4\x0bT\x02\x85R"),
    (b"c_codecs\nencode\n", b"X\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R"),
    (b"ctorch.storage\nUntypedStorage\n", b"\x8a\x05\x00\xe4\x0bT\x02\x85\x81"),
    (b"cos\nsystem\n", b"X\x04\x00\x00\x00true\x85R"),
]


@pytest.mark.parametrize(("name", "call"), GLOBALS)
def test_what_pytorch_itself_would_call(small: Path, name: bytes, call: bytes) -> None:
    """Some of these pass `weights_only`, and make ten gigabytes out of twenty bytes."""
    replace_description(small, b"\x80\x02" + name + call + b".")
    with pytest.raises(UnsupportedModelError):
        read_header(small)


def test_a_nested_key_is_never_hashed(small: Path) -> None:
    """PyTorch's own reader would hash 2^60 values."""
    levels = b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60))
    replace_description(small, b"\x80\x02)q\0" + levels + b"}h\x3cK\x01s.")
    with pytest.raises(CheckpointError):
        read_header(small)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"K\x03K\x04\x86", b"K\x04K\x04\x86"),  # shape of a
        (b"K\x04K\x01\x86", b"K\x05K\x01\x86"),  # its strides
        (b"K\x04K\x01\x86", b"K\x04K\xff\x86"),
        (b"K\x03K\x04\x86", b"J\xff\xff\xff\xffK\x04\x86"),  # -1
        (b"K\x03K\x04\x86", b"\x8a\x05\x00\xe4\x0bT\x02K\x04\x86"),
        (b"K\x04K\x01\x86", b"K\x00K\x00\x86"),  # one number, seen twelve times: see below
        (b"K\x0ctq\x07Q", b"\x8a\x05\x00\xe4\x0bT\x02tq\x07Q"),  # size of its storage
        (b"K\x0ctq\x07Q", b"K\x0btq\x07Q"),
        (b"QK\x00", b"QK\x01"),  # where it starts in its storage
        (b"X\x01\x00\x00\x000q", b"X\x01\x00\x00\x009q"),  # the storage's name
        (b"FloatStorage", b"ShortStorage"),
        (b"FloatStorage", b"ComplexFloatStorage"),
    ],
)
def test_tensors_outside_their_storages(small: Path, old: bytes, new: bytes) -> None:
    edit_description(small, old, new)
    if new == b"K\x00K\x00\x86":
        assert read_header(small)["a"].nbytes == 4, "no larger than what is there"
        return
    with pytest.raises(CheckpointError):
        read_header(small)


def test_compressed_members(pickled: Path) -> None:
    """A gigabyte of zeros is a megabyte of zip file."""
    rewrite(pickled / PICKLE, compression=zipfile.ZIP_DEFLATED)
    assert PICKLE in refused(pickled)


def test_a_number_order_of_other_machines(small: Path) -> None:
    rewrite(small, lambda name, data: b"big" if name.endswith("byteorder") else data)
    with pytest.raises(CheckpointError):
        read_header(small)


def entry(data: bytes, member: bytes) -> int:
    """Where the directory's entry of a member starts."""
    return data.rindex(member) - 46


@pytest.mark.parametrize(
    ("place", "value"),
    [(20, 0xFFFFFF), (24, 0xFFFFFF), (20, 0xFFFFFFFF), (42, 0), (42, 0xFFFFFFF), (10, 8), (8, 1)],
)
def test_a_directory_that_lies(small: Path, place: int, value: int) -> None:
    """Packed size, size, place, compression and encryption of one member."""
    data = bytearray(small.read_bytes())
    width = "<H" if place < 20 else "<I"
    struct.pack_into(width, data, entry(data, b"small/data/0") + place, value)
    small.write_bytes(data)
    with pytest.raises(CheckpointError):
        read_header(small)


@pytest.mark.parametrize("place", [4, 6, 8, 26, 30])
def test_a_member_that_contradicts_the_directory(small: Path, place: int) -> None:
    """Its own flags, compression, name's length or name."""
    data = bytearray(small.read_bytes())
    start = data.index(b"small/data/0") - 30
    data[start + place] ^= 0x41
    small.write_bytes(data)
    if place == 4:  # the version that is needed to extract: nobody's business
        assert read_header(small)
        return
    with pytest.raises(CheckpointError):
        read_header(small)


def test_two_members_of_one_name(small: Path) -> None:
    with zipfile.ZipFile(small, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("small/data/0", bytes(48))
    with pytest.raises(CheckpointError):
        read_header(small)


@pytest.mark.parametrize("where", ["front", "end"])
def test_something_around_the_zip_file(small: Path, where: str) -> None:
    data = small.read_bytes()
    small.write_bytes(b"#!" + data if where == "front" else data + b"more")
    with pytest.raises(CheckpointError):
        read_header(small)


def test_a_directory_of_a_terabyte(small: Path) -> None:
    """A sparse file takes no room on the disk, and must not take any in memory."""
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 9, 9, 0xFFFFFFF0, 0, 0)
    with small.open("r+b") as file:
        file.truncate(0xFFFFFFF0)
        file.seek(0, os.SEEK_END)
        file.write(end)
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        read_header(small)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("keep", [0, 3, 30, 1000, 100_000, -1, -22, -500])
def test_truncated_files(pickled: Path, keep: int) -> None:
    data = (pickled / PICKLE).read_bytes()
    (pickled / PICKLE).write_bytes(data[:keep])
    assert PICKLE in refused(pickled)


def test_a_file_that_shrinks_while_it_is_read(pickled: Path) -> None:
    folder = resolve_folder(pickled)

    def shrink(_: object) -> None:
        os.truncate(pickled / PICKLE, 1000)

    with pytest.raises(CheckpointError, match="ends inside tensor"):
        load_gpt(folder, progress=shrink)


@settings(max_examples=60)
@given(st.data())
def test_flipped_bits_and_cuts(
    tiny_gpt2_dir: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Anywhere but in the numbers themselves: a model comes of it, or the one error."""
    folder = tmp_path_factory.mktemp("flipped") / "model"
    pickled_twin(tiny_gpt2_dir, folder)
    content = bytearray((folder / PICKLE).read_bytes())
    tail = len(content) - content.index(b"PK\1\2")
    spans = st.integers(0, content.index(b"/byteorder")) | st.integers(-tail, -1)
    for position in data.draw(st.lists(spans, min_size=1, max_size=4)):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    (folder / PICKLE).write_bytes(content[:cut])
    with contextlib.suppress(CheckpointError):
        load_gpt(resolve_folder(folder))
    shutil.rmtree(folder)


def test_pytorch_must_agree(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever made the two differ, the weights are not loaded."""
    check_agreement([small])
    header = read_header(small)
    other = saved(tmp_path / "other.bin", {"a": torch.ones(12), "b": torch.ones(5)})
    for path in (other, saved(tmp_path / "third.bin", {n: torch.ones(3, 4) for n in "abc"})):
        monkeypatch.setattr("gptdesk.checkpoints.pickle_agreement.read_header", lambda _: header)
        with pytest.raises(CheckpointError, match="another way"):
            check_agreement([path])
