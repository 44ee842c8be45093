"""What goes wrong is told in the message bar, and the window goes on with the model it had."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton

from gptdesk import atomic
from gptdesk.engines.torch_engine import TorchEngine
from tests.helpers.damage import INDEX, WEIGHTS, change_tensors, set_config
from tests.ui.window_driver import Driver

Damage = Callable[[Path], Path | None]


def nothing_there(folder: Path) -> Path:
    return folder / "nowhere"


def empty_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def text_file(folder: Path) -> Path:
    (folder / "notes.txt").write_text("Dear diary,\n")
    return folder / "notes.txt"


def truncated(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, (folder / WEIGHTS).stat().st_size // 2)


def flipped(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[9] ^= 0xFF
    (folder / WEIGHTS).write_bytes(data)


def missing_shard(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / INDEX).write_text(json.dumps({"weight_map": shards}))


def index_outside(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": "../../etc/passwd"}}))


def missing_tensor(folder: Path) -> None:
    change_tensors(folder, lambda tensors: tensors.pop(next(iter(tensors))))


def wrong_shape(folder: Path) -> None:
    def cut(tensors: dict[str, Any]) -> None:
        name = next(name for name, tensor in tensors.items() if tensor.ndim == 2)
        tensors[name] = tensors[name][:-1].clone()

    change_tensors(folder, cut)


def small_vocabulary(folder: Path) -> None:
    set_config(folder, vocab_size=5)


def fifo(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)


def gguf(folder: Path) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    return path


DAMAGES: tuple[Damage, ...] = (
    nothing_there,
    empty_folder,
    text_file,
    truncated,
    flipped,
    missing_shard,
    index_outside,
    missing_tensor,
    wrong_shape,
    small_vocabulary,
    fifo,
    gguf,
    lambda folder: set_config(folder, vocab_size=10**12),
    lambda folder: set_config(folder, model_type="mamba"),
    lambda folder: set_config(folder, quantization_config={"quant_method": "gptq"}),
)


def test_no_bad_model_takes_the_place_of_a_good_one(
    writer: Driver, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    good = writer.window.models.current
    for number, damage in enumerate(DAMAGES):
        folder = tmp_path / f"bad{number}"
        shutil.copytree(tiny_llama_dir, folder)
        path = damage(folder) or folder
        told = len(writer.said)
        writer.load(path)
        assert len(writer.said) == told + 1, f"{path} was not refused"
        assert folder.name in writer.said[-1] or str(path) in writer.said[-1], writer.said[-1]
        assert writer.find("message").isVisible()
        assert writer.window.models.current is good
    writer.generate()
    assert writer.editor.has_provisional
    assert writer.settings.get("model.path") == str(tiny_llama_dir)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("out of memory"), RuntimeError("boom"), KeyError("x")],
    ids=["memory", "torch-memory", "runtime", "bug"],
)
def test_a_failing_engine_leaves_text_and_window_usable(
    writer: Driver, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    calls = 0
    whole = TorchEngine.extend

    def fails_at_the_fourth(self: TorchEngine, ids: Any, **settings: int) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise error
        return whole(self, ids, **settings)

    monkeypatch.setattr(TorchEngine, "extend", fails_at_the_fourth)
    text = writer.editor.plain_text()
    writer.generate()
    assert len(writer.said) == 1
    assert writer.find("message").isVisible()
    assert writer.editor.plain_text() == text
    assert writer.find("assistant.generate", QPushButton).isEnabled()
    writer.type(", and then")
    writer.generate()
    assert writer.editor.has_provisional
    assert len(writer.said) == 1


FILES = {
    "crlf.txt": b"one\r\ntwo\r\n\r\nthree\r\n",
    "mixed.txt": b"one\r\ntwo\nthree\r\nfour\n",
    "bom.txt": b"\xef\xbb\xbfone\nthree \xc3\xa9\n",
    "utf16.txt": "one\r\n三 three\r\n".encode("utf-16"),
    "utf16be.txt": b"\xfe\xff" + "one\nthree\n".encode("utf-16-be"),
    "gbk.txt": "这是一个用国标编码的文件，里面有很多汉字。\n第二行也是中文。three\n".encode("gbk"),
    "open end.txt": b"one\nthree",
}


@pytest.mark.parametrize("name", FILES)
def test_saving_changes_no_byte_of_an_untouched_line(
    driver: Driver, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    driver.window.tabs.open(path)
    driver.editor.moveCursor(driver.editor.textCursor().MoveOperation.End)
    driver.type("!")
    driver.window.actions_["file.save"].trigger()
    assert path.read_bytes() != FILES[name]
    driver.window.actions_["edit.undo"].trigger()
    assert driver.window.tabs.current.modified
    driver.window.actions_["file.save"].trigger()
    assert path.read_bytes() == FILES[name]
    assert not driver.said


def test_a_full_disk_leaves_file_and_text_as_they_were(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("before\n")
    driver.window.tabs.open(path)
    driver.type("more ")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "fsync", full)
        driver.window.actions_["file.save"].trigger()
    assert "no room" in driver.said[-1]
    assert path.read_text() == "before\n"
    assert driver.editor.plain_text() == "more before\n"
    assert driver.window.tabs.current.modified
    driver.window.actions_["file.save"].trigger()
    assert path.read_text() == "more before\n"


def test_a_stopped_export_leaves_nothing_and_the_dialog_open(
    writer: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.window.actions_["model.export"].trigger()
    dialog = writer.find("model.export_dialog", QDialog)
    field = dialog.findChild(QLineEdit, "export.folder")
    assert field is not None
    field.setText(str(tmp_path / "out"))
    start = dialog.findChild(QPushButton, "export.start")
    assert start is not None
    ended: list[object] = []
    writer.window.models.export_ended.connect(ended.append)
    start.click()
    dialog.reject()
    writer.until(lambda: bool(ended))
    assert ended == [None]
    assert dialog.isVisible()
    assert start.isEnabled()
    assert list(tmp_path.iterdir()) == []
    dialog.reject()
