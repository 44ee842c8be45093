"""Reads and checks the prompts in `resources/prompts/`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from gptdesk.errors import GptDeskError
from gptdesk.paths import resources_dir
from gptdesk.text.task_template import placeholders

LANGUAGES = ("en", "zh", "de", "fr")
"""Codes of the languages that the tasks offer."""

PROMPT_LANGUAGES = ("en", "zh")
"""Languages that prompts are written in."""

# For each file its tables and, for each key in them, the placeholders it may hold.
_TEXTS: Mapping[str, Mapping[str, Mapping[str, frozenset[str]]]] = {
    "summarize": {
        "chat": {
            "system": frozenset(),
            "headline": frozenset({"language"}),
            "paragraph": frozenset({"language"}),
            "points": frozenset({"language", "count"}),
            "part": frozenset({"language"}),
            "combine": frozenset(),
        },
        "plain": {"headline": frozenset({"text"}), "paragraph": frozenset({"text"})},
    },
    "translate": {
        "chat": {"system": frozenset(), "translate": frozenset({"source", "target"})},
    },
    "rewrite": {
        "chat": {"system": frozenset(), "proofread": frozenset(), "simplify": frozenset()},
        "plain": {"proofread": frozenset({"text"}), "simplify": frozenset({"text"})},
    },
}


def prompt_language(language: str) -> str:
    """The language to write a prompt in when the answer is to be in `language`."""
    return language if language in PROMPT_LANGUAGES else "en"


def prompt_text(file: str, table: str, language: str, key: str) -> str:
    """One prompt, in the language nearest to `language`.

    Raises:
        GptDeskError: the file is missing or damaged.
    """
    text: str = _read(file)[table][prompt_language(language)][key]
    return text


def language_name(code: str, prompt: str) -> str:
    """What prompts for answers in the language `prompt` call the language `code`, or "other"."""
    name: str = _read("languages")[prompt_language(prompt)][code]
    return name


def example_sentences(language: str) -> list[str]:
    """Example sentences for translation; equal positions mean the same in every language."""
    sentences: list[str] = _read("translate")["examples"][language]
    return sentences


@cache
def _read(name: str) -> dict[str, Any]:
    path = resources_dir() / "prompts" / f"{name}.toml"
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        _check(name, data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GptDeskError(
            f"The prompts in {path} are missing or damaged: {error}",
            "Install gptdesk again.",
            repr(error),
        ) from error
    return data


def _check(name: str, data: dict[str, Any]) -> None:
    for table, keys in _TEXTS.get(name, {}).items():
        for language in PROMPT_LANGUAGES:
            for key, wanted in keys.items():
                found = placeholders(data[table][language][key])
                if found != wanted:
                    raise ValueError(f"{table}.{language}.{key} has {found}, not {set(wanted)}")
    if name == "languages":
        _check_same_length("names", [data[prompt] for prompt in PROMPT_LANGUAGES])
    if name == "translate":
        _check_same_length("examples", [data["examples"][code] for code in LANGUAGES])


def _check_same_length(name: str, lists: list[Any]) -> None:
    if len({len(entries) for entries in lists}) != 1 or not lists[0]:
        raise ValueError(f"the lists of {name} differ in length")
