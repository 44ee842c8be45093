"""A GGUF file is opened, described, written with and opened again, as any other model is."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit, QPushButton, QWidget

from gptdesk.ui import choose
from tests.helpers.gguf_files import write_gguf
from tests.ui.window_driver import Driver


def test_a_gguf_file_is_chosen_and_writes(
    driver: Driver, tiny_gpt2_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_gguf(tiny_gpt2_dir, tmp_path / "harbour-q8_0.gguf", "Q8_0")
    asked: list[str] = []

    def choose_file(_parent: QWidget, _title: str, _start: str, kinds: str) -> str:
        asked.append(kinds)
        return str(path)

    monkeypatch.setattr(choose, "file", choose_file)
    driver.window.actions_["model.open"].trigger()
    opened = driver.find("model.open_dialog", QDialog)
    driver.click("model.browse_file")
    load = driver.find("model.load", QPushButton)
    driver.until(load.isEnabled)
    assert "*.gguf" in asked[0]
    assert "q8_0" in opened.findChild(QWidget, "model.facts").text()
    load.click()
    driver.until(lambda: driver.window.models.current is not None)
    assert driver.label("status.model").startswith("harbour-q8_0 · PyTorch")
    assert driver.settings.get("model.path") == str(path)
    assert driver.settings.get("model.recent") == [str(path)]
    driver.window.actions_["model.export"].trigger()
    export = driver.find("model.export_dialog", QDialog)
    place = export.findChild(QLineEdit, "export.folder")
    assert place is not None
    assert Path(place.text()).name == "harbour-q8_0-onnx"
    export.reject()
