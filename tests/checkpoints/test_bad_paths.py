"""A path that is no model of ours gets one clear error; nothing is executed and nothing hangs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from gptdesk.checkpoints.catalogue import list_models
from gptdesk.checkpoints.folder import COMPANIONS, resolve_folder
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.text.chat_template_files import TEMPLATE_FOLDER
from tests.helpers.damage import INDEX, WEIGHTS, refused


def test_nothing_there(tmp_path: Path) -> None:
    assert "missing" in refused(tmp_path / "missing")


@pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000])
def test_paths_that_no_system_takes(path: str) -> None:
    with pytest.raises(CheckpointError):
        resolve_folder(path)


def test_an_empty_folder(tmp_path: Path) -> None:
    assert "empty" in refused(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "letter.docx", "README"])
def test_a_text_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear reader,", "utf-8")
    assert str(tmp_path) in refused(tmp_path / name)


needs_fifo = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without FIFOs")


def test_a_folder_that_may_not_be_entered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patched and not made, as tests may run as root, who may enter everything."""

    def denied(self: Path, **options: object) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    assert str(folder) in refused(folder)
    assert list_models([folder]) == []


TEMPLATE = f"{TEMPLATE_FOLDER}/tool_use.jinja"


@needs_fifo
@pytest.mark.parametrize("name", ["config.json", WEIGHTS, INDEX, *COMPANIONS, TEMPLATE])
def test_what_stands_in_place_of_a_file(folder: Path, tmp_path: Path, name: str) -> None:
    """A pipe would block whoever opens it; a device never ends; a link may lead anywhere."""
    path = folder / name
    path.unlink(missing_ok=True)
    if name == INDEX:
        (folder / WEIGHTS).unlink()
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    assert name in refused(folder)
    path.unlink()
    path.mkdir()
    assert name in refused(folder)
    path.rmdir()
    (tmp_path / "secret").write_text("{}", "utf-8")
    for target in (tmp_path / "secret", Path("/dev/zero")):
        path.symlink_to(target)
        message = refused(folder)
        assert name in message
        assert "outside" in message
        path.unlink()
    path.symlink_to(path.name)
    assert name in refused(folder)


@needs_fifo
def test_a_fifo_or_device_as_the_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in refused(tmp_path / "pipe")
    assert "regular" in refused(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["model.gguf", "model-q4_0.bin"])
def test_gguf_is_known_by_its_start(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"GGUF\x03\0\0\0" + bytes(100))
    assert "general.architecture" in refused(tmp_path / name)


def test_a_folder_with_a_broken_gguf_file(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    assert "not a GGUF file" in refused(tmp_path)


@pytest.mark.parametrize("name", ["model.pkl", "model.pickle"])
def test_plain_pickles_are_never_opened(folder: Path, tmp_path: Path, name: str) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "executed"),)

    (folder / WEIGHTS).unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    assert "pickle" in refused(folder, UnsupportedModelError)
    assert "pickle" in refused(folder / name, UnsupportedModelError)
    assert not (tmp_path / "executed").exists()


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    assert "adapter" in refused(tmp_path, UnsupportedModelError)


def test_weights_alone_are_told_from_their_neighbours(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / WEIGHTS).write_text("Dear reader,")
    message = refused(tmp_path / WEIGHTS)
    assert "config.json" in message
    assert WEIGHTS in message


def test_a_foreign_onnx_model(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    assert "ONNX" in refused(tmp_path, UnsupportedModelError)
