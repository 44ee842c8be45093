"""Finds the chat templates of a model folder, wherever its maker put them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gptdesk.text.tokenizer_reading import MAX_SETTINGS_BYTES, broken, read_json, read_text

DEFAULT = "default"
TOOL_USE = "tool_use"
TEMPLATE_FILE = "chat_template.jinja"
TEMPLATE_FOLDER = "additional_chat_templates"
_MAX_TEMPLATES = 100


def read_chat_templates(root: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Templates by name; "default" serves plain conversations, "tool_use" those with tools.

    Files of their own come before the key "chat_template" of tokenizer_config.json, and replace
    all of it.

    Raises:
        TokenizerError: a file is broken, or there are absurdly many.
    """
    templates = dict(_from_files(root))
    if templates:
        return templates
    value = settings.get("chat_template")
    if value is None:
        value = read_json(root / "chat_template.json").get("chat_template")
    if isinstance(value, str):
        return {DEFAULT: value}
    entries = value if isinstance(value, list) else []
    named = {e.get("name"): e.get("template") for e in entries if isinstance(e, dict)}
    return {
        name: text
        for name, text in named.items()
        if isinstance(name, str) and isinstance(text, str)
    }


def _from_files(root: Path) -> Iterator[tuple[str, str]]:
    if (root / TEMPLATE_FILE).is_file():
        yield DEFAULT, read_text(root / TEMPLATE_FILE, MAX_SETTINGS_BYTES)
    paths = template_paths(root)
    if len(paths) > _MAX_TEMPLATES:
        raise broken(root / TEMPLATE_FOLDER, f"it holds {len(paths)} templates")
    for path in (path for path in paths if path.is_file()):
        yield path.stem, read_text(path, MAX_SETTINGS_BYTES)


def template_paths(root: Path) -> list[Path]:
    """The files in additional_chat_templates/, by name; links among them are not followed yet."""
    return sorted((root / TEMPLATE_FOLDER).glob("*.jinja"))
