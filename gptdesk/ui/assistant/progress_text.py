"""How far a run is, in a few words."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

from gptdesk.generation.events import Progress
from gptdesk.ui.numbers import grouped, size_text


def progress_text(event: Progress) -> str:
    """The words for an event: reading 512 / 2 000, part 2 / 5, writing 40."""
    translate = QCoreApplication.translate
    if event.stage in ("loading", "exporting"):
        text = translate("progress", "loading {0}")
        if event.stage == "exporting":
            text = translate("progress", "exporting {0}")
        return text.format(_amount(event, size_text))
    texts = {
        "reading": translate("progress", "reading {0}"),
        "writing": translate("progress", "writing {0}"),
        "part": translate("progress", "part {0}"),
    }
    return texts[event.stage].format(_amount(event, grouped))


def _amount(event: Progress, show: Callable[[int], str]) -> str:
    done = show(event.done)
    return f"{done} / {show(event.total)}" if event.total else done


class RunProgress:
    """What the busy button says during one run: the part it is at, and what happens there."""

    def __init__(self) -> None:
        self._part = ""

    def after(self, event: Progress) -> str:
        """The words after a progress event."""
        if event.stage == "part":
            self._part = progress_text(event)
            return self._part
        return self._with_part(progress_text(event))

    def writing(self) -> str:
        """The words while text comes."""
        return self._with_part(QCoreApplication.translate("progress", "writing"))

    def _with_part(self, text: str) -> str:
        return f"{self._part} · {text}" if self._part else text
