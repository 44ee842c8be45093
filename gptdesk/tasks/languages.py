"""The languages that tasks offer, and how the language of a text is settled."""

from __future__ import annotations

import re

from gptdesk.errors import OptionError
from gptdesk.tasks.base import Operations
from gptdesk.tasks.prompt_files import LANGUAGES, language_name
from gptdesk.text.language import guess_language

CHOICES = (("en", "English"), ("zh", "Chinese"), ("de", "German"), ("fr", "French"))
"""Codes and labels for options; the UI translates the labels."""

_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LONGEST_SAMPLE = 20_000


def detect(text: str) -> str:
    """The language of a text; never empty: what cannot be told goes by its script."""
    sample = text[:_LONGEST_SAMPLE]
    return guess_language(sample) or ("zh" if _HAN.search(sample) else "en")


def automatic_target(source: str) -> str:
    """The language to translate into when none was chosen."""
    return "en" if source == "zh" else "zh"


def name(code: str) -> str:
    """The language's English name for messages; the code itself when it is not one of ours."""
    return dict(CHOICES).get(code, code)


def prompt_name(code: str, prompt: str) -> str:
    """What a prompt for an answer in the language `prompt` calls the language `code`."""
    return language_name(code if code in LANGUAGES else "other", prompt)


def require(ops: Operations, code: str, what: str) -> None:
    """Refuse a language that the model's maker does not list; unlisted models take any.

    Raises:
        OptionError: the model was not made for this language; `what` names the option.
    """
    known = ops.profile.languages
    if known and code not in known:
        raise OptionError(
            f"This model was not made for {name(code)}: it knows {_listed(known)}.",
            f"Choose another {what}, or open a model that knows {name(code)}.",
        )


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(name(code) for code in codes)
