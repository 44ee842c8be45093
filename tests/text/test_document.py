"""Files come back byte for byte, and what is no text is refused by name and at once."""

from __future__ import annotations

import errno
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk import atomic
from gptdesk.errors import DocumentError
from gptdesk.text import document as documents
from gptdesk.text.document import (
    Document,
    DocumentChangedError,
    EncodingLossError,
    as_utf8,
    load_document,
    read_document,
    save_document,
    to_bytes,
)

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc"]))
LINES = st.lists(st.tuples(TEXT, st.sampled_from(["\n", "\r\n", "\r"])), max_size=12)


@given(LINES, st.sampled_from([("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16", b"")]))
def test_a_file_that_is_not_edited_keeps_its_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[tuple[str, str]],
    encoding: tuple[str, bytes],
) -> None:
    path = tmp_path_factory.getbasetemp() / "round-trip.txt"
    data = encoding[1] + "".join(text + end for text, end in lines).encode(encoding[0])
    path.write_bytes(data)
    loaded = load_document(path)
    assert "\r" not in loaded.text
    assert to_bytes(loaded) == data


def test_encoding_bom_and_line_ends_survive_an_edit(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xfe" + "eins\r\nzwei\r\n".encode("utf-16-le"))
    loaded = load_document(path)
    assert (loaded.text, loaded.newline, loaded.bom) == ("eins\nzwei\n", "\r\n", True)
    save_document(path, replace(loaded, text="eins\ndrei\nzwei"))
    assert path.read_bytes() == b"\xff\xfe" + "eins\r\ndrei\r\nzwei".encode("utf-16-le")


def test_mixed_line_ends_stay_where_lines_stayed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\r\nb\nc\r\nd\re\r\n")
    loaded = load_document(path)
    assert loaded.text == "a\nb\nc\nd\ne\n"
    edited = replace(loaded, text="a\nb\nnew\nmore\nd\ne\n")
    saved = save_document(path, edited)
    assert path.read_bytes() == b"a\r\nb\nnew\r\nmore\r\nd\re\r\n"
    again = save_document(path, replace(saved, text="b\nnew\nmore\nd\ne\n"))
    assert path.read_bytes() == b"b\nnew\r\nmore\r\nd\re\r\n"
    assert to_bytes(replace(again, text="")) == b""


@given(LINES, LINES)
def test_mixed_line_ends_never_change_the_text(
    old: list[tuple[str, str]], new: list[tuple[str, str]]
) -> None:
    before = Document(mixed="".join(text + end for text, end in old) + "\r\n\n")
    text = "".join(text + "\n" for text, _ in new)
    written = to_bytes(replace(before, text=text)).decode()
    assert documents._LINE_END.sub("\n", written) == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Der Fluß führte Hochwasser, größer als früher – „kalt“."),
        ("gb18030", "潮水退得比村里任何人记得的都要远，港湾像一只拉开的抽屉。"),
        ("gb18030", "低潮"),
        ("big5", "潮水退得比村裡任何人記得的都要遠，港灣像一隻拉開的抽屜。"),
        ("cp932", "これは日本語のテキストです。漢字も含まれています。"),
        ("cp1251", "Привет, как дела? Всё хорошо, спасибо."),
    ],
)
def test_old_encodings_are_found_and_kept(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes(text.encode(encoding))
    loaded = load_document(path)
    assert loaded.text == text
    save_document(path, replace(loaded, text=text + text))
    assert path.read_bytes() == (text + text).encode(encoding)


def test_characters_an_old_encoding_lacks_are_never_dropped(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes("größer".encode("cp1252"))
    edited = replace(load_document(path), text="größer 潮")
    with pytest.raises(EncodingLossError, match=r"old\.txt"):
        save_document(path, edited)
    assert path.read_bytes() == "größer".encode("cp1252")
    save_document(path, as_utf8(edited))
    assert path.read_bytes() == "größer 潮".encode()


def test_a_change_by_another_program_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one")
    loaded = load_document(path)
    path.write_text("two")
    with pytest.raises(DocumentChangedError):
        save_document(path, replace(loaded, text="three"), loaded.digest)
    assert path.read_text() == "two"
    save_document(path, replace(loaded, text="three"))
    assert path.read_text() == "three"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("nul.bin", b"abc\0def"),
        ("random.bin", bytes(range(1, 256)) * 20),
        ("broken-utf16.txt", b"\xff\xfea\0b"),
        ("controls.txt", b"\x01\x02\x03\x04 text"),
    ],
)
def test_binaries_are_refused_by_name(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(DocumentError, match=name):
        load_document(path)


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3(", b"\xe7\x81"])
def test_utf8_with_a_broken_character_is_not_read_as_something_else(
    tmp_path: Path, damage: bytes
) -> None:
    path = tmp_path / "letter.txt"
    whole = "naïve café, 灯塔看守人. ".encode()
    path.write_bytes(whole + damage + b" end")
    with pytest.raises(DocumentError, match=f"damaged .* the first at byte {len(whole)}") as caught:
        load_document(path)
    assert str(path) in caught.value.title


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "giant.txt"
    with path.open("wb") as file:
        file.truncate(documents.MAX_BYTES + 1)
    with pytest.raises(DocumentError, match="64 MB"):
        read_document(path)


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
def test_what_is_no_regular_file_is_refused_without_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        monkeypatch.chdir(tmp_path)  # the name of a socket may be 108 bytes long at most
        server.bind("socket")
    for name, kind in [
        ("pipe", "a named pipe"),
        ("socket", "a socket"),
        ("/dev/zero", "a device"),
        (".", "a folder"),
    ]:
        with pytest.raises(DocumentError, match=kind):
            load_document(tmp_path / name)
        with pytest.raises(DocumentError):
            save_document(tmp_path / name, Document("x"))


def test_a_missing_file_and_an_impossible_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no file"):
        load_document(tmp_path / "none.txt")
    with pytest.raises(DocumentError):
        load_document(f"{tmp_path}/a\0b")


def test_a_write_protected_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("keep")
    path.chmod(0o444)
    with pytest.raises(DocumentError, match="write-protected"):
        save_document(path, Document("new"))
    assert path.read_text() == "keep"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="none"):
        save_document(tmp_path / "none" / "a.txt", Document("new"))


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(DocumentError, match="no room"):
        save_document(path, Document("new"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
