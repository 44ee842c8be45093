"""What the robot does: two sessions of one writer, a restart between them.

The folders come through the environment: ACCEPTANCE_MODEL, the checkpoint; ACCEPTANCE_WORK, where
documents and the export go. What the robot notes in `seen` is judged by `test_four_uses`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit, QTextEdit

from gptdesk.ui import choose
from tests.acceptance.robot import Condition, Robot

CTRL = Qt.KeyboardModifier.ControlModifier
OPENING = "The lighthouse keeper wrote a letter"
PAGE = (
    "When the storm was over, she walked along the harbour and counted the lamps that still "
    "burned. In 1962 the ferry carried 48,317 passengers; ten years later the bridge had taken "
    "nearly all of them. Readers forgive a slow beginning.\n\n"
)
THREE_PAGES = PAGE * 24
PARAGRAPH = "The harbour was quiet. See https://example.org/notes for the 14 minutes."


def first(robot: Robot) -> Iterator[Condition]:
    """Launch, open a checkpoint, continue, summarize, translate, export, use the export, save."""
    model, work = Path(os.environ["ACCEPTANCE_MODEL"]), Path(os.environ["ACCEPTANCE_WORK"])
    robot.window.tabs.questions.save_path = lambda _: work / "letter.txt"
    yield from _type_at_once(robot)
    yield from _open_model(robot, model)
    yield from _greedy(robot)
    yield from _continue(robot)
    yield from _summarize(robot)
    yield from _translate(robot)
    yield from _export(robot, work / "letter-model-onnx")
    yield from _continue_again(robot)
    robot.press(Qt.Key.Key_S, CTRL)
    yield (work / "letter.txt").is_file
    robot.seen["saved"] = robot.text
    robot.choose("view.theme.dark")
    robot.photograph("dark")
    robot.choose("file.quit")


def second(robot: Robot) -> Iterator[Condition]:
    """Start again: the document, the model and the settings are back."""
    yield lambda: len(robot.text) > 0
    yield _model_is(robot, "onnx")
    robot.seen["text"] = robot.text
    robot.seen["title"] = robot.window.windowTitle()
    robot.seen["model"] = robot.find("status.model", QLabel).text()
    robot.seen["dark"] = robot.window.settings.get("ui.theme")
    robot.seen["temperature"] = robot.window.panel.sampling.values()["temperature"]
    robot.choose("file.quit")


def _type_at_once(robot: Robot) -> Iterator[Condition]:
    """The window takes keys before any model is there."""
    robot.photograph("launched")
    robot.type(OPENING)
    robot.seen["typed at once"] = robot.text
    yield _model_is(robot, "gptdesk-base")


def _open_model(robot: Robot, model: Path) -> Iterator[Condition]:
    choose.folder = lambda *_: str(model)
    robot.choose("model.open")
    yield robot.can("model.browse")
    robot.click("model.browse")
    yield robot.can("model.load")
    robot.photograph("open-model", "model.open_dialog")
    robot.click("model.load")
    yield lambda: not robot.shows("model.open_dialog")
    yield _model_is(robot, model.name)
    robot.seen["loaded"] = robot.find("status.model", QLabel).text()
    robot.seen["badge"] = robot.find("status.offline", QLabel).text()


def _greedy(robot: Robot) -> Iterator[Condition]:
    """Temperature to its lower end: the most probable text, the same on every engine."""
    slider = robot.find("assistant.sampling.temperature")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    yield lambda: robot.window.panel.sampling.values()["temperature"] == 0.0


def _continue(robot: Robot) -> Iterator[Condition]:
    robot.press(Qt.Key.Key_Return, CTRL)
    yield lambda: robot.editor.has_provisional and not robot.busy
    robot.photograph("provisional")
    robot.seen["provisional"] = robot.editor.provisional_text
    robot.seen["while provisional"] = robot.text
    robot.seen["speed"] = robot.find("status.speed", QLabel).text()
    robot.press(Qt.Key.Key_Tab)
    robot.seen["accepted"] = robot.text
    robot.press(Qt.Key.Key_Z, CTRL)
    robot.seen["undone"] = robot.text
    robot.press(Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.ShiftModifier)
    robot.seen["redone"] = robot.text


def _summarize(robot: Robot) -> Iterator[Condition]:
    robot.click("assistant.mode.summarize")
    robot.click("assistant.source_kind.pasted")
    yield robot.can("assistant.source")
    robot.paste_into("assistant.source", THREE_PAGES)
    robot.seen["figures"] = robot.find("assistant.source_info", QLabel).text()
    robot.press(Qt.Key.Key_Return, CTRL)
    yield robot.can("assistant.insert")
    robot.photograph("summary")
    robot.seen["summary"] = robot.find("assistant.result", QTextEdit).toPlainText()
    robot.press(Qt.Key.Key_End, CTRL)
    robot.click("assistant.insert")
    robot.seen["with summary"] = robot.text


def _translate(robot: Robot) -> Iterator[Condition]:
    robot.click("assistant.mode.translate")
    yield lambda: robot.shows("assistant.compare")
    robot.click("assistant.source_kind.pasted")
    source = robot.find("assistant.source", QTextEdit)
    source.selectAll()
    robot.paste_into("assistant.source", PARAGRAPH)
    robot.click("assistant.generate")
    yield lambda: robot.busy
    yield robot.can("assistant.insert")
    robot.photograph("translation")
    robot.seen["translation"] = robot.find("assistant.result", QTextEdit).toPlainText()
    robot.seen["source beside it"] = source.toPlainText()


def _export(robot: Robot, out: Path) -> Iterator[Condition]:
    robot.choose("model.export")
    yield robot.can("export.start")
    field = robot.find("export.folder", QLineEdit)
    field.setText(str(out))
    robot.click("export.start")
    yield lambda: out.is_dir() and robot.can("export.start")()
    robot.photograph("exported", "model.export_dialog")
    robot.seen["export says"] = robot.find("export.status", QLabel).text()
    robot.click("export.start")  # which now says "Use the export now"
    yield _model_is(robot, "onnx")


def _continue_again(robot: Robot) -> Iterator[Condition]:
    """The same words before the cursor, the export's engine: the same text must come."""
    robot.click("assistant.mode.continue")
    robot.choose("file.new")
    robot.type(OPENING)
    robot.press(Qt.Key.Key_Return, CTRL)
    yield lambda: robot.editor.has_provisional and not robot.busy
    robot.seen["provisional by onnx"] = robot.editor.provisional_text
    # Just after the end of a run Esc does nothing: it may have been meant to stop it.
    yield lambda: robot.press(Qt.Key.Key_Escape) or not robot.editor.has_provisional
    robot.seen["after escape"] = robot.text
    robot.editor.selectAll()
    robot.press(Qt.Key.Key_Delete)
    robot.choose("file.close")
    yield lambda: len(robot.text) > 0


def _model_is(robot: Robot, part: str) -> Condition:
    """The condition that the status bar names a model or engine."""
    return lambda: part.casefold() in robot.find("status.model", QLabel).text().casefold()
