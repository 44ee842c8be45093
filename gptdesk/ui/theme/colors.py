"""The colours of the window by role, read from resources/themes/*.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from gptdesk import paths
from gptdesk.errors import OptionError

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")


@dataclass(frozen=True)
class Colors:
    """One theme: colours as `#RRGGBB`, named after what they are for."""

    paper: str
    chrome: str
    panel: str
    card: str
    hairline: str
    ink: str
    muted: str
    accent: str
    on_accent: str
    soft: str
    amber: str
    red: str
    dark: bool = False


def load_colors(name: str) -> Colors:
    """The theme `name` ("light" or "dark") that ships with the app.

    Raises:
        OptionError: the file is missing, or a role is missing or not `#RRGGBB`.
    """
    path = paths.resources_dir() / "themes" / f"{name}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise OptionError(
            f"The theme {path} cannot be read.", "Install gptdesk again.", str(error)
        ) from error
    return _checked(path, data)


def _checked(path: Path, data: dict[str, object]) -> Colors:
    given = data.get("colors")
    roles = given if isinstance(given, dict) else {}
    wanted = [field.name for field in fields(Colors) if field.name != "dark"]
    wrong = [role for role in wanted if not _HEX.fullmatch(str(roles.get(role, "")))]
    if wrong:
        raise OptionError(
            f"The theme {path.name} lacks a colour #RRGGBB for: {', '.join(wrong)}.",
            "Install gptdesk again.",
        )
    return Colors(**{role: str(roles[role]) for role in wanted}, dark=data.get("dark") is True)
