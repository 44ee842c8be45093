"""The settings file: JSON in the config folder; unknown keys survive, bad values fall back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from gptdesk import atomic, paths
from gptdesk.errors import GptDeskError, OptionError
from gptdesk.settings.definitions import SETTINGS
from gptdesk.settings.migrations import VERSION, migrate

_VERSION_KEY = "version"


class Settings:
    """Values of all settings.

    Attributes:
        path: the file.
        problems: what was wrong with the file when it was read, for the person.
    """

    def __init__(self, path: Path, values: dict[str, Any], problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        self._values = values

    @classmethod
    def load(cls, path: Path | None = None) -> Settings:
        """Read the file; a missing one means defaults, a broken one is kept aside.

        Never raises: a problem with settings must not keep anybody from writing.
        """
        path = path or paths.config_dir() / "settings.json"
        try:
            data = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return cls(path, {}, [])
        except (OSError, ValueError, RecursionError) as error:
            return cls(path, {}, [_keep_aside(path, str(error))])
        if not isinstance(data, dict):
            return cls(path, {}, [_keep_aside(path, "it is not a JSON object")])
        version = data.pop(_VERSION_KEY, VERSION)
        if not isinstance(version, int) or not 0 < version <= VERSION:
            # A newer gptdesk wrote it: use what still fits, but leave its file as it is.
            problem = _keep_aside(path, f"its version {version!r} is not known")
            return cls(path, *_accepted(data, [problem]))
        return cls(path, *_accepted(migrate(data, version), []))

    def get(self, key: str) -> Any:
        """The value of a setting, or its default. The result may be changed freely."""
        return copy.deepcopy(self._values.get(key, SETTINGS[key].default))

    def set(self, key: str, value: Any) -> None:
        """Change a setting in memory; `save` writes it.

        Raises:
            OptionError: the value is not permitted.
        """
        SETTINGS[key].check(value)
        self._values[key] = copy.deepcopy(value)

    def save(self) -> None:
        """Write the file atomically.

        Raises:
            GptDeskError: the folder cannot be written or the disk is full.
        """
        data = {_VERSION_KEY: VERSION, **dict(sorted(self._values.items()))}
        text = json.dumps(data, ensure_ascii=False, indent=1)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write_bytes(self.path, text.encode("utf-8"))
        except OSError as error:
            raise GptDeskError(
                f"The settings could not be saved to {self.path}.",
                "Check that the folder can be written and that the disk has room.",
                str(error),
            ) from error


def _accepted(data: dict[str, Any], problems: list[str]) -> tuple[dict[str, Any], list[str]]:
    values = {}
    for key, value in data.items():
        if key in SETTINGS:
            try:
                SETTINGS[key].check(value)
            except OptionError as error:
                problems.append(f"{error.title} The default is used.")
                continue
        values[key] = value
    return values, problems


def _keep_aside(path: Path, reason: str) -> str:
    aside = path.with_suffix(".broken.json")
    try:
        path.replace(aside)
    except OSError:
        return f"The settings file {path} cannot be used: {reason}. Defaults are used."
    return f"The settings file could not be used: {reason}. It was kept as {aside.name}."
