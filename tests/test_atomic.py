"""Atomic writes: the old content or the new one, never a mixture, never a leftover."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from gptdesk import atomic

on_posix = pytest.mark.skipif(os.name == "nt", reason="permissions and links as POSIX has them")


def test_content_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt"]


def test_a_failure_keeps_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt"]


@on_posix
def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    atomic.write_bytes(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


@on_posix
def test_a_new_file_follows_the_mask(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        atomic.write_bytes(tmp_path / "a.txt", b"")
    finally:
        os.umask(previous)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o644


@on_posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_bytes(b"old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    atomic.write_bytes(tmp_path / "link.txt", b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"new"


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "model"
    with atomic.new_folder(out) as work:
        (work / "a").write_text("x")
        assert not out.exists()
    assert (out / "a").read_text() == "x"
    assert sorted(entry.name for entry in out.parent.iterdir()) == ["model"]


def test_files_of_a_folder_are_flushed_before_it_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[int, bool]] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        flushed.append((os.fstat(descriptor).st_ino, (tmp_path / "new").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    with atomic.new_folder(tmp_path / "new") as folder:
        (folder / "below").mkdir()
        (folder / "below" / "a.txt").write_text("a")
    inode = (tmp_path / "new" / "below" / "a.txt").stat().st_ino
    assert (inode, False) in flushed


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fill(work: Path) -> None:
        (work / "a").write_text("x")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"), atomic.new_folder(tmp_path / "model") as work:
        fill(work)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == []


def test_a_folder_with_content_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("x")
    with pytest.raises(FileExistsError), atomic.new_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model" / "mine").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="any mask will do; read on Linux")
def test_reading_the_mask_puts_it_back(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        atomic.write_bytes(tmp_path / "a", b"")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(previous)
