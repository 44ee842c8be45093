"""Tabs whose questions are answered by a list instead of a dialog."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gptdesk.errors import GptDeskError
from gptdesk.ui.documents import DocumentTabs
from gptdesk.ui.documents.questions import Answer, Questions
from gptdesk.ui.theme.colors import load_colors


class Answers(Questions):
    """Answers in the order given; `asked` notes the questions."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.answers: list[Answer | Path | None] = []
        self.asked: list[str] = []

    def _answer(self, question: str) -> Answer | Path | None:
        self.asked.append(question)
        return self.answers.pop(0)

    def open_paths(self, folder: Path) -> list[Path]:
        path = self._answer("open")
        return [path] if isinstance(path, Path) else []

    def save_path(self, suggestion: Path) -> Path | None:
        path = self._answer(f"save path {suggestion.name}")
        return path if isinstance(path, Path) else None

    def save_changes(self, title: str) -> Answer:
        return self._decide(f"save changes {title}")

    def changed_on_disk(self, title: str) -> Answer:
        return self._decide(f"changed {title}")

    def encoding_lacks(self, title: str, encoding: str) -> Answer:
        return self._decide(f"encoding {title} {encoding}")

    def _decide(self, question: str) -> Answer:
        answer = self._answer(question)
        assert isinstance(answer, Answer)
        return answer


class Tabs(DocumentTabs):
    """Document tabs that note what they report."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: Answers = Answers(self)
        self.problems: list[GptDeskError] = []
        self.notices: list[str] = []
        self.problem.connect(self.problems.append)
        self.notice.connect(self.notices.append)


@pytest.fixture
def make_tabs(qtbot: QtBot) -> Iterator[Callable[[], Tabs]]:
    """Make tabs as often as wanted; those not shut down by the test are at its end."""
    made: list[Tabs] = []

    def make() -> Tabs:
        tabs = Tabs()
        made.append(tabs)
        qtbot.addWidget(tabs)
        tabs.set_colors(load_colors("light"))
        tabs.resize(905, 760)
        tabs.show()
        return tabs

    yield make
    for tabs in made:
        tabs.shut_down()


@pytest.fixture
def tabs(make_tabs: Callable[[], Tabs]) -> Tabs:
    return make_tabs()
