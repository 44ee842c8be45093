"""Steps that bring an older settings file up to date, one registered function per version.

A file of version n goes through `MIGRATIONS[n]`, `MIGRATIONS[n + 1]`, … up to `VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

VERSION = 1

Migration = Callable[[dict[str, Any]], dict[str, Any]]

MIGRATIONS: Mapping[int, Migration] = {}


def migrate(values: dict[str, Any], version: int) -> dict[str, Any]:
    """Values of a file of `version`, as this version of gptdesk means them."""
    for step in range(version, VERSION):
        values = MIGRATIONS[step](values)
    return values
