"""Where the model in use is weak the window says so, and lets everything be done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QDialog, QWidget

from gptdesk.ui import language
from tests.ui.window_driver import Driver

GERMAN = "Das Meer war an diesem Morgen weiter zurückgegangen, als man sich erinnern konnte. "
NOTICE = "assistant.caveats"
WORDS = "assistant.caveats.words"


@pytest.fixture
def weak_dir(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    """A model whose maker says that it is weak at German and at texts of more than 60 tokens."""
    folder = Path(shutil.copytree(tiny_llama_dir, tmp_path / "weak"))
    declared = {
        "format_version": 1,
        "languages": ["en", "zh", "de"],
        "experimental": {"languages": ["de"], "text_tokens": 60},
    }
    (folder / "gptdesk.json").write_text(json.dumps(declared), "utf-8")
    return folder


@pytest.fixture
def weak(driver: Driver, weak_dir: Path) -> Driver:
    driver.load(weak_dir)
    return driver


def texts(box: QComboBox) -> list[str]:
    return [box.itemText(index) for index in range(box.count())]


def choose(driver: Driver, option: str, key: str) -> None:
    box = driver.find(f"assistant.option.{option}", QComboBox)
    box.setCurrentIndex(box.findData(key))


def test_languages_are_marked_for_the_model_that_is_weak_at_them(
    weak: Driver, tiny_llama_dir: Path
) -> None:
    boxes = [
        weak.find(f"assistant.option.{name}", QComboBox)
        for name in ("translate.source", "translate.target", "summarize.language")
    ]
    for box in boxes:
        assert "German (experimental)" in texts(box)
        assert "French" in texts(box)
    language.translators().apply("zh_CN")
    weak.until(lambda: all("德语（实验性）" in texts(box) for box in boxes))
    language.translators().apply("en")
    weak.load(tiny_llama_dir)
    assert all("German" in texts(box) for box in boxes)


def test_a_weak_language_is_noticed_and_translated_all_the_same(weak: Driver) -> None:
    weak.type("The harbour lay open.")
    weak.window.panel.set_mode("translate")
    notice = weak.find(NOTICE)
    assert not notice.isVisible()
    choose(weak, "translate.target", "de")
    weak.until(notice.isVisible)
    assert "German is experimental" in weak.label(WORDS)
    weak.window.panel.sampling.restore("custom", {"seed": 7, "max_new_tokens": 8})
    weak.generate()
    assert weak.window.panel.card.text_view.toPlainText()
    choose(weak, "translate.target", "zh")
    weak.until(lambda: not notice.isVisible())


def test_the_notice_follows_text_mode_and_language_of_the_window(weak: Driver) -> None:
    weak.editor.setPlainText(GERMAN)
    weak.window.panel.set_mode("summarize")
    weak.until(weak.find(NOTICE).isVisible)
    assert "long" not in weak.label(WORDS)
    weak.editor.setPlainText(GERMAN * 8)
    weak.until(lambda: "long for this model" in weak.label(WORDS))
    language.translators().apply("zh_CN")
    weak.until(lambda: "德语" in weak.label(WORDS))
    assert "偏长" in weak.label(WORDS)
    language.translators().apply("en")
    weak.editor.setPlainText("The harbour lay open, and the boats leaned on their keels.")
    weak.until(lambda: not weak.find(NOTICE).isVisible())


def test_the_way_out_is_open_model(weak: Driver) -> None:
    weak.window.panel.set_mode("translate")
    choose(weak, "translate.source", "de")
    weak.until(weak.find(NOTICE).isVisible)
    weak.click("assistant.caveats.open_model")
    weak.find("model.open_dialog", QDialog).reject()


def test_another_model_takes_the_notice_back(weak: Driver, tiny_llama_dir: Path) -> None:
    weak.window.panel.set_mode("translate")
    choose(weak, "translate.source", "de")
    weak.until(weak.find(NOTICE).isVisible)
    weak.load(tiny_llama_dir)
    assert not weak.find(NOTICE).isVisible()
    weak.window.models.unload()
    weak.until(lambda: weak.window.models.current is None)
    assert not weak.find(NOTICE).isVisible()


def test_information_names_the_weak_points(weak: Driver) -> None:
    weak.window.actions_["model.info"].trigger()
    opened = weak.find("model.info_dialog", QDialog)
    facts = opened.findChild(QWidget, "model.facts").text()
    assert "English, Chinese, German (experimental)" in facts
    assert "texts of more than 60 tokens" in facts
    opened.close()
