"""LoRA adapters through the menu: chosen, switched, taken out, remembered, refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QWidget

from gptdesk.export import onnx_export
from gptdesk.ui import choose
from gptdesk.ui.models.controller import OpenModel
from tests.helpers import adapters
from tests.ui.window_driver import Driver


@pytest.fixture(scope="module")
def adapter_dir(tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "letters"
    return adapters.write(tiny_llama_dir, folder, r=4, target_modules="all-linear")


def put_on(driver: Driver, folder: Path) -> None:
    driver.window.models.adapters.put_on(str(folder))
    settle(driver)


def settle(driver: Driver) -> None:
    driver.until(lambda: not driver.window.worker.open_jobs)


def opened(driver: Driver) -> OpenModel:
    current = driver.window.models.current
    assert current is not None
    return current


def test_an_adapter_is_chosen_in_the_menu(
    writer: Driver, adapter_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions = writer.window.actions_
    assert actions["model.adapter.choose"].isEnabled()
    assert not actions["model.adapter.use"].isEnabled()
    assert not actions["model.adapter.remove"].isEnabled()
    monkeypatch.setattr(choose, "folder", lambda *_: str(adapter_dir))
    actions["model.adapter.choose"].trigger()
    writer.until(lambda: opened(writer).adapter is not None)
    assert writer.label("status.model") == "tiny-llama + letters · PyTorch fp32 · CPU"
    assert actions["model.adapter.use"].isChecked()
    assert writer.settings.get("model.adapter") == str(adapter_dir)
    writer.generate()
    assert writer.editor.has_provisional
    assert writer.said == []


def test_it_is_switched_off_and_on_and_taken_out(writer: Driver, adapter_dir: Path) -> None:
    put_on(writer, adapter_dir)
    use = writer.window.actions_["model.adapter.use"]
    use.trigger()
    settle(writer)
    assert not opened(writer).adapter_enabled
    assert writer.label("status.model").startswith("tiny-llama + letters (off)")
    assert not writer.settings.get("model.adapter_on")
    use.trigger()
    settle(writer)
    assert opened(writer).adapter_enabled
    writer.window.actions_["model.adapter.remove"].trigger()
    settle(writer)
    assert opened(writer).adapter is None
    assert writer.label("status.model").startswith("tiny-llama · ")
    assert writer.settings.get("model.adapter") == ""
    assert not use.isChecked()


def test_a_wrong_adapter_is_told_and_the_model_stays(
    writer: Driver, adapter_dir: Path, tmp_path: Path
) -> None:
    put_on(writer, adapter_dir)
    put_on(writer, tmp_path / "nothing")
    assert "nothing" in writer.said[-1]
    cut = shutil.copytree(adapter_dir, tmp_path / "cut")
    (cut / adapters.WEIGHTS).write_bytes((cut / adapters.WEIGHTS).read_bytes()[:-8])
    put_on(writer, cut)
    assert "damaged" in writer.said[-1]
    assert opened(writer).adapter is not None
    assert opened(writer).adapter.name == "letters"
    assert writer.window.actions_["model.adapter.use"].isChecked()
    writer.generate()
    assert writer.editor.has_provisional


def test_another_model_comes_without(
    writer: Driver, adapter_dir: Path, tiny_gpt2_dir: Path
) -> None:
    put_on(writer, adapter_dir)
    writer.load(tiny_gpt2_dir)
    assert opened(writer).adapter is None
    assert writer.settings.get("model.adapter") == ""
    put_on(writer, adapter_dir)
    assert "does not fit this model" in writer.said[-1]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_next_start_puts_it_on_again(
    make_driver: Callable[[], Driver], adapter_dir: Path, tiny_llama_dir: Path, enabled: bool
) -> None:
    first = make_driver()
    first.load(tiny_llama_dir)
    first.window.models.adapters.put_on(str(adapter_dir), enabled=enabled)
    settle(first)
    first.window.close()
    second = make_driver()
    second.window.models.load_at_start()
    second.until(lambda: opened_adapter(second) == "letters")
    assert opened(second).adapter_enabled is enabled
    assert second.said == []


def test_a_start_without_the_adapter_of_the_last_session(
    driver: Driver, tiny_llama_dir: Path, tmp_path: Path
) -> None:
    driver.settings.set("model.path", str(tiny_llama_dir))
    driver.settings.set("model.adapter", str(tmp_path / "gone"))
    driver.window.models.load_at_start()
    driver.until(lambda: bool(driver.said))
    assert "gone" in driver.said[-1]
    assert opened(driver).adapter is None
    assert driver.settings.get("model.adapter") == ""


def test_a_warning_about_an_adapter_is_told(
    writer: Driver, adapter_dir: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(adapter_dir, tmp_path / "letters")
    adapters.set_options(folder, base_model_name_or_path="someone/Other-7B")
    put_on(writer, folder)
    assert "Other-7B" in writer.said[-1]
    assert opened(writer).adapter_enabled


def test_information_names_the_adapter(writer: Driver, adapter_dir: Path) -> None:
    put_on(writer, adapter_dir)
    writer.window.actions_["model.info"].trigger()
    dialog = writer.find("model.info_dialog")
    facts = dialog.findChild(QWidget, "model.facts").text()
    assert str(adapter_dir) in facts
    assert "self_attn.q_proj" in facts
    assert dialog.findChild(QLabel, "model.name").text() == "tiny-llama + letters"
    dialog.close()


def test_an_export_takes_the_adapter_along(
    writer: Driver, adapter_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on(writer, adapter_dir)
    merged: list[object] = []
    write = onnx_export.export_onnx
    monkeypatch.setattr(
        onnx_export, "export_onnx", lambda *a, **k: merged.append(k["adapter"]) or write(*a, **k)
    )
    ended: list[object] = []
    writer.window.models.export_ended.connect(ended.append)
    writer.window.models.export(str(tmp_path / "onnx"))
    writer.until(lambda: bool(ended))
    assert merged == [str(adapter_dir)]
    writer.load(tmp_path / "onnx")
    assert not writer.window.actions_["model.adapter.choose"].isEnabled()


def opened_adapter(driver: Driver) -> str:
    current = driver.window.models.current
    return current.adapter.name if current is not None and current.adapter is not None else ""
