"""The application in its own clothes, and undressed again after each test that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gptdesk.settings import Settings
from gptdesk.ui import language
from gptdesk.ui.app import make_application
from tests.ui.window_driver import Driver


@pytest.fixture
def dressed(qapp: QApplication) -> Iterator[QApplication]:
    """The test process's application with theme and language as `main` sets them."""
    settings = Settings.load()
    settings.set("ui.theme", "light")
    settings.set("ui.language", "en")
    font = QFont(qapp.font())
    make_application(settings)
    yield qapp
    language.translators().apply("en")
    qapp.setStyleSheet("")
    qapp.setPalette(QPalette())
    qapp.setFont(font)


@pytest.fixture
def make_driver(qtbot: QtBot, dressed: QApplication) -> Iterator[Callable[[], Driver]]:
    """Makes windows, each with the settings on the disk, and closes them after the test."""
    made: list[Driver] = []

    def make() -> Driver:
        made.append(Driver(qtbot))
        return made[-1]

    yield make
    for driver in made:
        driver.close()


@pytest.fixture
def driver(make_driver: Callable[[], Driver]) -> Driver:
    """A window without a model."""
    return make_driver()


@pytest.fixture
def writer(driver: Driver, tiny_llama_dir: Path) -> Driver:
    """A window with a tiny model and a sentence begun, sampling fixed by a seed."""
    driver.load(tiny_llama_dir)
    driver.type("The lighthouse keeper wrote")
    driver.window.panel.sampling.restore("custom", {"seed": 7, "max_new_tokens": 12})
    return driver
