"""Teaching a model from the window: the order, the run, its end, and what is done with the result."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListWidget, QPushButton, QSpinBox

from gptdesk import paths
from gptdesk.training import remote
from gptdesk.training.events import TrainingFailed, TrainingFinished
from gptdesk.ui import choose
from tests.helpers import adapters
from tests.ui.training.stand_in import HELD_AT, STEPS
from tests.ui.training.teacher import Teacher
from tests.ui.window_driver import Driver


def test_without_a_model_there_is_nobody_to_teach(driver: Driver) -> None:
    assert not driver.window.actions_["model.teach"].isEnabled()


def test_the_order_is_given_step_by_step(
    teacher: Teacher, letters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = teacher.open()
    assert "tiny-llama" in teacher.shown("explanation")
    assert "nothing leaves it" in teacher.shown("explanation")
    assert not teacher.button("start").isEnabled()
    monkeypatch.setattr(choose, "folder", lambda *_: str(letters))
    teacher.click("add_folder")
    assert teacher.shown("amount").startswith("3 files, 5\u00a0kB. That is little")
    assert teacher.button("start").isEnabled()
    single = letters / "letter 1.txt"
    monkeypatch.setattr(choose, "files", lambda *_: [str(single), str(single)])
    teacher.click("add_files")
    sources = dialog.findChild(QListWidget, "training.sources")
    assert [sources.item(row).text() for row in range(2)] == ["letters (folder)", "letter 1.txt"]
    sources.setCurrentRow(0)
    teacher.click("remove")
    dialog.findChild(QSpinBox, "training.minutes").setValue(3)
    dialog.findChild(QLineEdit, "training.name").setText("letters to a tide")
    teacher.click("more")
    teacher.click("method.full")
    request = dialog._form.request
    assert request is not None
    assert request.sources == (str(single),)
    assert (request.minutes, request.method) == (3, "full")
    assert Path(request.out) == paths.user_models_dir() / "letters to a tide"
    assert Path(request.model).samefile(teacher.driver.window.models.current.path)


def test_the_documents_that_are_open_can_be_taken(teacher: Teacher, letters: Path) -> None:
    teacher.open()
    assert not teacher.button("add_open").isEnabled()
    teacher.dialog.close()
    teacher.driver.window.tabs.open(letters / "letter 2.txt")
    teacher.open()
    teacher.click("add_open")
    assert teacher.dialog._form.request.sources == (str(letters / "letter 2.txt"),)


def test_what_holds_no_text_is_told(teacher: Teacher, letters: Path) -> None:
    teacher.open()
    teacher.add(letters / "photo.png")
    assert "There is no text in this" in teacher.shown("amount")
    assert not teacher.button("start").isEnabled()


def test_what_is_no_text_is_left_out_and_told(teacher: Teacher, letters: Path) -> None:
    (letters / ".hidden.txt").write_text("nobody asked for this")
    dialog = teacher.open()
    teacher.add(letters, letters / "photo.png")
    sources = dialog.findChild(QListWidget, "training.sources")
    assert sources.item(1).text() == "photo.png (no text, left out)"
    assert teacher.shown("amount").startswith("3 files")
    assert dialog._form.request.sources == (str(letters),)


def test_texts_are_dropped_on_the_list(teacher: Teacher, letters: Path) -> None:
    sources = teacher.open()._form.sources
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(letters)), QUrl("https://example.org/text.txt")])
    place = QPointF(10, 10)
    arguments = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
    none = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(sources, QDragEnterEvent(place.toPoint(), *arguments, none))
    QApplication.sendEvent(sources, QDropEvent(place, *arguments, none))
    assert sources.paths == (str(letters),)


@pytest.mark.parametrize(
    ("name", "said"),
    [("", "a name"), ("a/b", "cannot be the name"), ("taken", "already"), ("..", "cannot")],
)
def test_a_name_that_cannot_be_is_told(
    teacher: Teacher, letters: Path, name: str, said: str
) -> None:
    taken = paths.user_models_dir() / "adapters" / "taken"
    taken.mkdir(parents=True)
    (taken / "something").touch()
    teacher.open()
    teacher.add(letters)
    teacher.dialog.findChild(QLineEdit, "training.name").setText(name)
    assert said in teacher.shown("form_problem")
    assert not teacher.button("start").isEnabled()


def test_an_export_cannot_learn(
    teacher: Teacher, letters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[object] = []
    teacher.driver.window.models.export_ended.connect(ended.append)
    teacher.driver.window.models.export(str(tmp_path / "onnx"))
    teacher.until(lambda: bool(ended))
    teacher.driver.load(tmp_path / "onnx")
    teacher.open()
    teacher.add(letters)
    assert "Open the model it was made from" in teacher.shown("form_problem")
    assert not teacher.button("start").isEnabled()


def test_a_run_ends_with_a_report_and_its_result_is_used(
    teacher: Teacher, letters: Path, tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    teacher.start("done", letters)
    assert teacher.visible("stop", "start", "use") == {"stop": True, "start": False, "use": False}
    end = teacher.finish()
    assert isinstance(end, TrainingFinished)
    assert teacher.shown("stage") == "The model has learnt from your documents."
    assert "perplexity 57.3 → 33.9, 41\u00a0% lower" in teacher.shown("report")
    assert "repeats nothing" in teacher.shown("copied")
    assert "longer than the context" in teacher.shown("warning")
    curve = teacher.controller.progress.curve
    assert curve.last_step == STEPS
    assert [step for step, _ in curve.held_out] == [0, HELD_AT]
    teacher.click("open_folder")
    out = Path(end.path)
    assert Path(opened[0].toLocalFile()) == out.parent  # the stand-in made none
    adapters.write(tiny_llama_dir, out, r=4, target_modules=["q_proj"])
    teacher.click("use")
    teacher.until(lambda: not teacher.driver.window.worker.open_jobs)
    current = teacher.driver.window.models.current
    assert current.adapter.name == "my-style"
    assert current.adapter_enabled
    assert teacher.desk.dialog is None
    assert teacher.driver.settings.get("training.unfinished") == {}


def test_the_result_finds_its_model_when_another_one_is_in_use(
    teacher: Teacher, letters: Path, tiny_llama_dir: Path, tiny_gpt2_dir: Path
) -> None:
    teacher.start("done", letters)
    teacher.driver.load(tiny_gpt2_dir)
    end = teacher.finish()
    adapters.write(tiny_llama_dir, Path(end.path), r=4, target_modules=["q_proj"])
    teacher.click("use")
    models = teacher.driver.window.models
    teacher.until(lambda: not teacher.driver.window.worker.open_jobs)
    assert models.current.name == "tiny-llama"
    assert models.current.adapter.name == "my-style"


def test_enter_presses_what_comes_next(teacher: Teacher, letters: Path) -> None:
    teacher.play("refused")
    dialog = teacher.open()
    teacher.add(letters)
    QTest.keyClick(dialog.findChild(QLineEdit, "training.name"), Qt.Key.Key_Return)
    teacher.finish()
    teacher.play("done")
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    teacher.finish()
    assert teacher.button("use").isDefault()


def test_copying_is_told(teacher: Teacher, letters: Path) -> None:
    teacher.start("copies", letters)
    teacher.finish()
    assert "word for word" in teacher.shown("warning")
    assert "10 words, “the tide had gone out" in teacher.shown("copied")


def test_a_run_is_stopped_and_goes_on(teacher: Teacher, letters: Path) -> None:
    teacher.start("hold", letters)
    teacher.until_step(HELD_AT)
    assert teacher.shown("step") == f"step {HELD_AT} of {STEPS}"
    assert "about a minute left" in teacher.shown("figures")
    teacher.click("stop")
    assert not teacher.button("stop").isEnabled()
    end = teacher.finish()
    assert isinstance(end, TrainingFinished)
    assert end.reason == "cancelled"
    assert teacher.shown("stage") == "Stopped."
    assert "go on from there" in teacher.shown("hint")
    assert not teacher.button("use").isVisible()
    order = teacher.controller.request
    teacher.play("done")
    teacher.click("again")
    assert teacher.controller.request == order
    teacher.finish()
    assert teacher.button("use").isVisible()


def test_what_was_stopped_is_offered_another_time(teacher: Teacher, letters: Path) -> None:
    teacher.start("hold", letters)
    teacher.until_step(1)
    teacher.click("stop")
    teacher.finish()
    teacher.dialog.close()
    teacher.open()
    assert "“my-style” was stopped" in teacher.shown("unfinished")
    teacher.play("done")
    teacher.click("resume")
    assert teacher.finish().reason == "done"
    teacher.dialog.close()
    teacher.open()
    assert teacher.shown("unfinished") == ""


def test_stopping_while_libraries_load_is_no_failure(teacher: Teacher, letters: Path) -> None:
    teacher.start("loading", letters)
    teacher.until(lambda: teacher.controller.progress.stage == "examples")
    teacher.click("stop")
    end = teacher.finish()
    assert isinstance(end, TrainingFinished)
    assert end.reason == "cancelled"


def test_a_result_that_stands_can_be_used_though_its_report_was_stopped(
    teacher: Teacher, letters: Path
) -> None:
    teacher.start("late", letters)
    teacher.finish()
    assert teacher.button("use").isVisible()
    assert teacher.controller.unfinished is None


def test_a_loss_that_is_no_number_is_told(teacher: Teacher, letters: Path) -> None:
    teacher.start("diverged", letters)
    teacher.finish()
    assert "went wrong" in teacher.shown("problem")
    assert not teacher.button("use").isVisible()


def test_a_refusal_leads_back_to_the_order(teacher: Teacher, letters: Path) -> None:
    teacher.start("refused", letters)
    assert isinstance(teacher.finish(), TrainingFailed)
    assert teacher.shown("problem") == "There is no text to learn from."
    assert teacher.shown("hint") == "Name other files."
    assert teacher.controller.unfinished is None
    teacher.click("back")
    assert teacher.button("start").isVisible()
    assert teacher.dialog._form.sources.paths == (str(letters),)


def test_a_child_that_is_killed_is_a_failure_with_details(teacher: Teacher, letters: Path) -> None:
    teacher.start("hold", letters)
    teacher.until_step(HELD_AT)
    os.kill(teacher.controller._run._remote._child.pid, signal.SIGKILL)
    assert isinstance(teacher.finish(), TrainingFailed)
    assert "ended unexpectedly" in teacher.shown("problem")
    assert teacher.visible("again", "back", "use") == {"again": True, "back": True, "use": False}
    assert teacher.controller.unfinished is not None


def test_a_command_that_cannot_be_started_is_a_failure(teacher: Teacher, letters: Path) -> None:
    teacher.open()
    teacher.add(letters)
    teacher.controller.command = (str(letters / "no such program"),)
    teacher.click("start")
    assert isinstance(teacher.finish(), TrainingFailed)
    assert "no such program" in teacher.dialog._watch._details.toPlainText()
    teacher.click("show_details")
    assert teacher.dialog._watch._details.isVisible()


def test_a_run_that_cannot_be_followed_ends_all_the_same(
    teacher: Teacher, letters: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(remote.tempfile, "TemporaryFile", full)
    teacher.start("done", letters)
    assert isinstance(teacher.finish(), TrainingFailed)
    assert "No space left" in teacher.dialog._watch._details.toPlainText()


def test_what_was_stopped_is_not_mixed_with_another_order(teacher: Teacher, letters: Path) -> None:
    teacher.start("hold", letters)
    teacher.until_step(1)
    teacher.click("stop")
    teacher.finish()
    teacher.click("back")
    assert teacher.shown("form_problem") == ""
    teacher.click("more")
    teacher.click("method.full")
    teacher.dialog.findChild(QLineEdit, "training.name").setText("other")
    assert teacher.button("start").isEnabled()
    teacher.click("method.lora")
    teacher.add(letters / "letter 1.txt")
    teacher.dialog.findChild(QLineEdit, "training.name").setText("my-style")
    assert "another name" in teacher.shown("form_problem")


def test_the_model_may_be_closed_meanwhile(
    teacher: Teacher, letters: Path, tiny_llama_dir: Path
) -> None:
    teacher.start("done", letters)
    teacher.driver.window.models.unload()
    end = teacher.finish()
    teacher.until(lambda: not teacher.driver.window.worker.open_jobs)
    adapters.write(tiny_llama_dir, Path(end.path), r=4, target_modules=["q_proj"])
    teacher.click("use")
    teacher.until(lambda: not teacher.driver.window.worker.open_jobs)
    assert teacher.driver.window.models.current.adapter.name == "my-style"


def test_a_closed_dialog_leaves_the_run_in_the_status_bar(teacher: Teacher, letters: Path) -> None:
    teacher.start("go", letters)
    teacher.until_step(HELD_AT)
    entry = teacher.driver.find("status.training", QPushButton)
    teacher.click("close")
    assert teacher.desk.dialog is None
    assert entry.isVisible()
    assert entry.text() == "learning 50\u00a0%"
    teacher.driver.type("Writing goes on.")
    assert teacher.driver.editor.plain_text() == "Writing goes on."
    entry.click()
    assert teacher.shown("step") == f"step {HELD_AT} of {STEPS}"
    teacher.click("close")
    Path(f"{teacher.controller.request.out}.go").parent.mkdir(parents=True, exist_ok=True)
    Path(f"{teacher.controller.request.out}.go").touch()
    teacher.finish()
    assert not entry.isVisible()
    assert teacher.driver.said[-1] == "The model has learnt from your documents."
    teacher.driver.click("message.action")
    assert "perplexity" in teacher.shown("report")


def test_a_failure_behind_the_writing_is_told(teacher: Teacher, letters: Path) -> None:
    teacher.start("refused", letters)
    teacher.dialog.close()
    teacher.finish()
    assert teacher.driver.said[-1] == "There is no text to learn from."
