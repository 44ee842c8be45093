"""Opening, describing, exporting and unloading models through the menus and dialogs."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QDialog, QLabel, QLineEdit, QListWidget, QPushButton, QWidget

from gptdesk.engines.torch_engine import TorchEngine
from gptdesk.errors import GptDeskError
from gptdesk.export import onnx_export
from gptdesk.ui import choose
from tests.helpers.damage import change_tensors
from tests.ui.window_driver import Driver


def dialog(driver: Driver, action: str, name: str) -> QDialog:
    driver.window.actions_[action].trigger()
    return driver.find(name, QDialog)


def child(parent: QWidget, name: str) -> QPushButton:
    found = parent.findChild(QPushButton, name)
    assert found is not None
    return found


def shown(parent: QWidget, name: str) -> str:
    found = parent.findChild(QLabel, name)
    assert found is not None
    return found.text() if found.isVisible() else ""


def test_open_model_inspects_first_and_loads_on_demand(
    driver: Driver, tiny_gpt2_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "folder", lambda *_: str(tiny_gpt2_dir))
    opened = dialog(driver, "model.open", "model.open_dialog")
    child(opened, "model.browse").click()
    driver.until(child(opened, "model.load").isEnabled)
    assert shown(opened, "model.name") == tiny_gpt2_dir.name
    assert "gpt2" in opened.findChild(QWidget, "model.facts").text()
    assert driver.window.models.current is None
    child(opened, "model.load").click()
    driver.until(lambda: driver.window.models.current is not None)
    assert driver.label("status.model") == "tiny-gpt2 · PyTorch fp32 · CPU"
    assert driver.settings.get("model.path") == str(tiny_gpt2_dir)
    assert driver.settings.get("model.recent") == [str(tiny_gpt2_dir)]
    assert driver.settings.get("model.loading") == ""


def test_a_folder_that_is_no_model_is_refused_by_name(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(choose, "folder", lambda *_: str(tmp_path / "notes"))
    opened = dialog(driver, "model.open", "model.open_dialog")
    child(opened, "model.browse").click()
    driver.until(lambda: "notes" in shown(opened, "model.refusal"))
    assert not child(opened, "model.load").isEnabled()
    opened.reject()


def test_a_bad_model_keeps_the_old_one(writer: Driver, tmp_path: Path) -> None:
    before = writer.window.models.current
    writer.load(tmp_path / "nothing")
    assert writer.window.models.current is before
    assert "nothing" in writer.said[-1]
    assert writer.find("message").isVisible()
    writer.generate()
    assert writer.editor.has_provisional


def test_weights_that_are_not_numbers_are_told(
    driver: Driver, tiny_gpt2_dir: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_gpt2_dir, tmp_path / "model"))
    change_tensors(folder, lambda tensors: tensors["transformer.ln_f.weight"][3:].fill_(math.nan))
    driver.load(folder)
    assert driver.window.models.current is not None
    assert "transformer.ln_f.weight" in driver.said[-1]
    opened = dialog(driver, "model.info", "model.info_dialog")
    assert any("transformer.ln_f.weight" in line.text() for line in opened.findChildren(QLabel))
    opened.close()


def test_export_and_switch_through_the_menu(writer: Driver, tmp_path: Path) -> None:
    opened = dialog(writer, "model.export", "model.export_dialog")
    folder = opened.findChild(QLineEdit, "export.folder")
    folder.setText(str(tmp_path / "exported"))
    start = child(opened, "export.start")
    start.click()
    writer.until(start.isEnabled)
    assert (tmp_path / "exported" / "model.onnx").is_file()
    assert "MB" in shown(opened, "export.status")
    start.click()
    writer.until(lambda: not writer.window.models.loading)
    assert writer.label("status.model").endswith("ONNX fp32 · CPU")
    assert not writer.window.actions_["model.export"].isEnabled()
    writer.generate()
    assert writer.editor.has_provisional


def test_a_failed_export_is_told_in_the_dialog(writer: Driver, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    opened = dialog(writer, "model.export", "model.export_dialog")
    opened.findChild(QLineEdit, "export.folder").setText(str(tmp_path / "full"))
    child(opened, "export.start").click()
    writer.until(lambda: shown(opened, "export.problem") != "")
    assert (tmp_path / "full" / "file").exists()
    opened.reject()


def test_information_tells_what_runs(writer: Driver) -> None:
    opened = dialog(writer, "model.info", "model.info_dialog")
    facts = opened.findChild(QWidget, "model.facts").text()
    assert "llama" in facts
    assert "PyTorch" in facts
    opened.close()


def test_unload_frees_the_model(writer: Driver) -> None:
    writer.window.actions_["model.unload"].trigger()
    writer.until(lambda: writer.window.models.current is None)
    assert writer.label("status.model") == "no model"
    for name in ("model.unload", "model.info", "model.export"):
        assert not writer.window.actions_[name].isEnabled()


def test_a_model_whose_loading_ended_the_app_is_not_tried_again_unasked(
    driver: Driver, tiny_llama_dir: Path
) -> None:
    driver.settings.set("model.loading", str(tiny_llama_dir))
    driver.settings.set("model.path", str(tiny_llama_dir))
    driver.window.models.load_at_start()
    assert not driver.window.models.loading
    assert "ended gptdesk" in driver.said[-1]
    driver.click("message.action")
    driver.until(lambda: driver.window.models.current is not None)


def test_the_last_model_is_opened_at_the_start(driver: Driver, tiny_llama_dir: Path) -> None:
    driver.settings.set("model.path", str(tiny_llama_dir))
    driver.window.models.load_at_start()
    driver.until(lambda: driver.window.models.current is not None)
    assert driver.window.models.current.path == str(tiny_llama_dir)


def test_loading_can_be_cancelled(writer: Driver, tiny_gpt2_dir: Path) -> None:
    before = writer.window.models.current
    writer.window.models.load(str(tiny_gpt2_dir))
    writer.window.models.cancel_load()
    writer.until(lambda: not writer.window.models.loading)
    assert writer.window.models.current is before
    assert writer.said == []


def listed(opened: QWidget) -> list[str]:
    names = opened.findChild(QListWidget, "model.list")
    return [names.item(row).text() for row in range(names.count())]


def test_recent_models_are_listed(driver: Driver, tiny_llama_dir: Path) -> None:
    driver.settings.set("model.recent", [str(tiny_llama_dir)])
    opened = dialog(driver, "model.open", "model.open_dialog")
    driver.until(lambda: any("tiny-llama" in x and "llama" in x for x in listed(opened)))
    opened.reject()


def test_folders_are_added_looked_through_again_and_removed(
    driver: Driver, tiny_llama_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    shutil.copytree(tiny_llama_dir, shelf / "first")
    opened = dialog(driver, "model.open", "model.open_dialog")
    monkeypatch.setattr(choose, "folder", lambda *_: str(shelf))

    def choose_place(text: str) -> None:
        menu = child(opened, "model.places").menu()
        menu.aboutToShow.emit()
        next(action for action in menu.actions() if text in action.text()).trigger()

    choose_place("another folder")
    driver.until(lambda: any("first" in text for text in listed(opened)))
    assert driver.settings.get("model.folders") == [str(shelf)]
    shutil.copytree(tiny_llama_dir, shelf / "second")
    choose_place("Look again")
    driver.until(lambda: any("second" in text for text in listed(opened)))
    choose_place(str(shelf))
    driver.until(lambda: not any("second" in text for text in listed(opened)))
    assert driver.settings.get("model.folders") == []
    opened.reject()


def test_a_file_of_a_model_may_be_chosen(
    driver: Driver, tiny_gpt2_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tiny_gpt2_dir / "model.safetensors")
    monkeypatch.setattr(choose, "file", lambda *_: path)
    opened = dialog(driver, "model.open", "model.open_dialog")
    child(opened, "model.browse_file").click()
    driver.until(child(opened, "model.load").isEnabled)
    assert shown(opened, "model.name") == tiny_gpt2_dir.name
    opened.reject()


def test_an_error_can_be_copied_with_its_details(driver: Driver) -> None:
    from PySide6.QtWidgets import QApplication

    driver.window.messages.error(GptDeskError("It broke.", "Mend it.", "line 7"))
    assert driver.label("message.title") == "It broke."
    assert not driver.find("message.details").isVisible()
    driver.click("message.show_details")
    assert driver.find("message.details").isVisible()
    driver.click("message.copy")
    assert QApplication.clipboard().text() == "It broke.\nMend it.\nline 7"
    driver.click("message.close")
    assert not driver.find("message").isVisible()


def test_a_model_is_inspected_while_another_one_writes(
    writer: Driver, tiny_gpt2_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.window.panel.sampling.restore("custom", {"seed": 7, "max_new_tokens": 4000})
    held = threading.Event()
    release = threading.Event()
    monkeypatch.setattr(TorchEngine, "extend", _held(TorchEngine.extend, held, release))
    try:
        writer.click("assistant.generate")
        assert held.wait(30)
        monkeypatch.setattr(choose, "folder", lambda *_: str(tiny_gpt2_dir))
        opened = dialog(writer, "model.open", "model.open_dialog")
        child(opened, "model.browse").click()
        writer.until(child(opened, "model.load").isEnabled)
        assert writer.window.assistant.busy
        opened.reject()
    finally:
        release.set()
        writer.window.assistant.stop()
        writer.idle()


def test_tokens_are_counted_while_a_model_is_exported(
    writer: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, release = threading.Event(), threading.Event()
    monkeypatch.setattr(onnx_export, "_write", _held(onnx_export._write, held, release))
    ended = []
    writer.window.models.export_ended.connect(ended.append)
    writer.window.models.export(str(tmp_path / "out"))
    assert held.wait(30)
    before = writer.label("status.context")
    writer.type(" and wrote and wrote")
    try:
        writer.until(lambda: writer.label("status.context") != before)
        assert not ended
    finally:
        release.set()
        writer.until(lambda: bool(ended))


def _held(
    method: Callable[..., Any], held: threading.Event, release: threading.Event
) -> Callable[..., Any]:
    def waiting(*args: Any, **kwargs: Any) -> Any:
        held.set()
        release.wait(60)
        return method(*args, **kwargs)

    return waiting
