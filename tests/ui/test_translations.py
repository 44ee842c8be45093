"""Every text of the window exists in Chinese, and the compiled file is the one the code needs."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import gptdesk
from gptdesk import paths
from gptdesk.ui import language
from gptdesk.ui.widgets.translated import translate_option

FOLDER = paths.resources_dir() / "translations"
TS = FOLDER / "gptdesk_zh_CN.ts"
UI = Path(gptdesk.__file__).parent / "ui"


@pytest.fixture(scope="module")
def update() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update_translations", FOLDER / "update.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def messages(ts: Path) -> dict[tuple[str, str], ET.Element]:
    """Context and source text to translation element."""
    found: dict[tuple[str, str], ET.Element] = {}
    for context in ET.parse(ts).getroot().iter("context"):
        name = context.findtext("name", "")
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            found[name, message.findtext("source", "")] = translation
    return found


def test_every_text_of_the_code_is_in_the_file_and_nothing_else(
    tmp_path: Path, update: ModuleType
) -> None:
    fresh = tmp_path / TS.name
    update.update_source(fresh)
    assert messages(fresh).keys() == messages(TS).keys(), "run resources/translations/update.py"


def test_every_text_is_translated_with_its_placeholders() -> None:
    for (context, source), translation in messages(TS).items():
        text = translation.text or ""
        assert text, f"{context}: {source!r} has no translation"
        assert "type" not in translation.attrib, f"{context}: {source!r} is unfinished"
        places = [sorted(re.findall(r"\{\d\}", words)) for words in (source, text)]
        assert places[0] == places[1], f"{context}: {source!r} lost a placeholder"
        assert ("&" in source) == ("(&" in text), f"{context}: {source!r} lost its letter"


def test_the_compiled_file_is_up_to_date(tmp_path: Path, update: ModuleType) -> None:
    update.compile_messages(TS, tmp_path / "fresh.qm")
    assert (tmp_path / "fresh.qm").read_bytes() == TS.with_suffix(".qm").read_bytes()


def test_the_update_keeps_finished_translations(tmp_path: Path, update: ModuleType) -> None:
    copy = tmp_path / TS.name
    shutil.copy(TS, copy)
    update.update_source(copy)
    assert {k: t.text for k, t in messages(copy).items()} == {
        k: t.text for k, t in messages(TS).items()
    }


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: path.stem)
def test_texts_are_plain_literals(path: Path) -> None:
    """An f-string or a sum inside tr() is extracted as written and can never match at run time."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name == "tr":
            argument = node.args[0]
            assert isinstance(argument, ast.Constant), f"line {node.lineno}"


def test_labels_of_tasks_are_translated(dressed: QApplication, update: ModuleType) -> None:
    language.translators().apply("zh_CN")
    for text in update.option_texts():
        assert translate_option(text) != text, text
    assert translate_option("Summarize") == "摘要"


def test_auto_follows_the_system(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    class System:
        def __init__(self, name: str) -> None:
            self._name = name

        def uiLanguages(self) -> list[str]:  # noqa: N802 - stands in for QLocale
            return [self._name]

    for name, resolved in (("zh-Hans-CN", "zh_CN"), ("zh_CN", "zh_CN"), ("de-DE", "en")):
        monkeypatch.setattr(language.QLocale, "system", lambda name=name: System(name))
        assert language.resolve("auto") == resolved
    assert language.resolve("en") == "en"
