"""Every sentence from below the window has a Chinese form, and its values come through unharmed."""

from __future__ import annotations

import importlib.util
import tomllib
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from gptdesk.errors import CheckpointError
from gptdesk.ui import language
from gptdesk.ui.error_texts import _PLACE, Catalogue, Template, catalogue_path, told, told_error

PATH = catalogue_path("zh_CN")
DATA: dict[str, dict[str, str]] = tomllib.loads(PATH.read_text(encoding="utf-8"))
TEXTS = {**DATA["sentences"], **DATA["fragments"]}
ODD = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["", "{0}", "{1*}", "{}", "{{0}}", "a\nb", "%s", "\\1", "文 件.txt", "/home/x y/模型"]
)


@pytest.fixture(scope="module")
def update() -> ModuleType:
    spec = importlib.util.spec_from_file_location("update_messages", PATH.parent / "update.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled(template: str, values: dict[int, str]) -> str:
    return _PLACE.sub(lambda place: values[int(place[1])], template)


def places(text: str) -> list[int]:
    return [int(place[1]) for place in _PLACE.finditer(text)]


def test_every_sentence_of_the_source_is_translated(update: ModuleType) -> None:
    missing = [text for text in update.sentences() if not DATA["sentences"].get(text)]
    assert not missing, "run resources/translations/update.py and translate"


def test_nothing_is_translated_that_the_source_lacks(update: ModuleType) -> None:
    assert DATA["sentences"].keys() == update.sentences().keys()
    assert set(DATA["fragments"]) <= update.all_texts()


def test_a_translation_has_the_places_of_its_source() -> None:
    for english, chinese in TEXTS.items():
        assert set(places(chinese)) == set(places(english)), english
        assert len(set(places(english))) == len(places(english)), f"a number twice: {english}"


@given(data=st.data())
def test_values_come_through_whole(data: Any) -> None:
    english = data.draw(st.sampled_from([text for text in TEXTS if _PLACE.search(text)]))
    template = Template.of(english, TEXTS[english])
    values = {number: data.draw(ODD) for number in template.order}
    found = template.match(filled(english, values))
    assert found is not None, "its own sentence does not match"
    assert filled(english, found) == filled(english, values), "text was lost or added"


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    Catalogue(TEXTS, {}).translate(text)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("/a/b.txt is a named pipe, not a text file.", "/a/b.txt 是命名管道，不是文本文件。"),
        ("Line 3: the model gave the source back.", "第 3 行：模型把原文照抄了一遍。"),
        ("Both languages are Chinese.", "两种语言都是中文。"),
        (
            "This model was not made for German: it knows English, Chinese.",
            "此模型不是为德语制作的：它懂英语、中文。",
        ),
        ("/m/{0}\n is empty.", "/m/{0}\n 是空的。"),
        (
            "Setting ui.theme cannot be 'pink'. The default is used.",
            "设置 ui.theme 不能是 'pink'。已改用默认值。",
        ),
        (
            "2 files or lines were left out: /b is a binary file, not text. And 5 more.",
            "略过了 2 个文件或行：/b 是二进制文件，不是文本。另有 5 处。",
        ),
        (
            "The weights in /m do not fit its configuration: a, b are missing; c is not expected.",
            "/m 中的权重与其配置不符：缺少 a、b；多出 c。",
        ),
        (
            "config.json in /m: model_type = 'bert' is an encoder: it reads text and writes none.",
            "/m 中的 config.json：model_type = 'bert' 是编码器模型：它只读文本，不写文本。",
        ),
        ("nothing known", "nothing known"),
    ],
)
def test_examples(dressed: QApplication, english: str, chinese: str) -> None:
    assert told(english) == english
    language.translators().apply("zh_CN")
    assert told(english) == chinese


def test_an_error_keeps_what_has_no_translation(dressed: QApplication) -> None:
    language.translators().apply("zh_CN")
    error = CheckpointError("There is no model at /x.", "Ask somebody.")
    assert told_error(error) == ("/x 处没有模型。", "Ask somebody.")


def test_only_sentences_that_are_known_are_parted() -> None:
    book = Catalogue({"{0} is lost.": "L {0*}。", "This happened: {0}": "H {0*}"}, {})
    assert book.translate("This happened: a is lost. b is lost.") == "H L a。L b。"
    assert book.translate("This happened: a. b is lost.") == "H L a. b。"


def test_fragments_are_not_mistaken_for_sentences() -> None:
    book = Catalogue({"{0} is lost.": "L {0*}"}, {"{0} in {1}": "{1}:{0}"})
    assert book.translate("a in b is lost.") == "L b:a"
    assert book.translate("Nobody in sight") == "Nobody in sight"


def test_the_longest_template_wins() -> None:
    texts = {"{0} cannot be read.": "A {0}", "The disk {0} cannot be read.": "B {0}"}
    assert Catalogue(texts, {}).translate("The disk x cannot be read.") == "B x"
