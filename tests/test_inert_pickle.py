"""A pickle is read for its plain values; nothing that it says can act, or grow."""

from __future__ import annotations

import collections
import contextlib
import os
import pickle
import pickletools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk import inert_pickle
from gptdesk.inert_pickle import DamagedPickleError, Function, UnknownNameError, read_pickle

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain, st.integers(2, 5))
def test_plain_values_come_back(value: Any, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol)) == value


def test_shared_values_stay_shared() -> None:
    shared = ["x"]
    first, second = read_pickle(pickle.dumps((shared, shared), 2))
    assert first is second


def test_names_are_replaced_by_the_table() -> None:
    data = pickle.dumps(collections.OrderedDict(a=1), 2)
    with pytest.raises(UnknownNameError, match=r"collections\.OrderedDict"):
        read_pickle(data)
    names = {"collections.OrderedDict": Function(dict)}
    assert read_pickle(data, names) == {"a": 1}


class Acting:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(6))
def test_nothing_runs(tmp_path: Path, protocol: int) -> None:
    with pytest.raises((UnknownNameError, DamagedPickleError)):
        read_pickle(pickle.dumps(Acting(tmp_path / "executed"), protocol))
    assert not (tmp_path / "executed").exists()


def nested(levels: int, opener: bytes, closer: bytes) -> bytes:
    """Each level holds the one below twice: printed or hashed, it would never end."""
    data = b"\x80\x02" + opener + b"q\x00"
    for level in range(levels):
        data += b"h" + bytes([level]) + b"h" + bytes([level]) + closer + b"q" + bytes([level + 1])
    return data


def test_a_small_file_does_not_grow() -> None:
    """A hundred levels of two: 2^100 values, were they copied, hashed, compared or printed."""
    bomb = nested(100, b")", b"\x86")
    for use in (b".", b"}h\x64K\x01s.", b")R.", b"(dh\x64b.", b"Q.", b"h\x64a."):
        with contextlib.suppress(DamagedPickleError):
            read_pickle(bomb + use, {}, lambda reference: reference)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80\x02",
        b"\x80\x02N",
        b"\x80\x02h\x07.",
        b"\x80\x02u.",
        b"\x80\x02t.",
        b"\x80\x02\x86.",
        b"\x80\x02K\x01K\x02a.",
        b"\x80\x02}K\x01K\x02e.",
        b"\x80\x02]K\x01K\x02s.",
        b"\x80\x02}(K\x01u.",
        b"\x80\x02X\xff\xff\xff\x7fabc.",
        b"\x80\x02K\x01Q.",
        b"\x80\x02K\x01}b.",
        b"I99999999999999\n.",
        b"\x80\x02\x8b\xff\xff\xff\x7f1.",
        b"not a pickle",
    ],
)
def test_damaged_pickles(data: bytes) -> None:
    with pytest.raises(DamagedPickleError):
        read_pickle(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for start in (b"", b"\x80\x02", b"\x80\x04"):
        with contextlib.suppress(DamagedPickleError, UnknownNameError):
            read_pickle(start + data, {"a.b": Function(dict)}, id)


def test_instructions_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inert_pickle, "MAX_INSTRUCTIONS", 10)
    with pytest.raises(DamagedPickleError, match="more than 10 instructions"):
        read_pickle(pickle.dumps(list(range(10)), 2))


def test_every_instruction_that_is_followed_exists() -> None:
    known = {opcode.name for opcode in pickletools.opcodes}
    followed = {
        *inert_pickle._LITERALS,
        *inert_pickle._CONSTANTS,
        *inert_pickle._MAKERS,
        *inert_pickle._TUPLES,
        *inert_pickle._STEPS,
    }
    assert followed <= known
