"""What the window calls a language that models read and write."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gptdesk.tasks import languages
from gptdesk.ui.widgets.translated import translate_option


def language_name(code: str, *, experimental: bool = False) -> str:
    """The language, marked where the model in question is weak at it."""
    name = translate_option(languages.name(code))
    return marked(name) if experimental else name


def marked(name: str) -> str:
    """A language's name with the mark behind it."""
    return QCoreApplication.translate("languages", "{0} (experimental)").format(name)
