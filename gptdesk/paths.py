"""Where files live: the only module that knows the places of resources, models and user data.

Shipped files stand at the top level of a checkout (`resources/`, `models/`), inside the package
in an installed wheel (`gptdesk/_data/…`) and beside the executable in a frozen app. User data
follows the platform (platformdirs); `GPTDESK_HOME` or `set_profile()` moves all of it at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import platformdirs

_APP = "gptdesk"
_profile: Path | None = None


def set_profile(folder: Path | None) -> None:
    """Keep all user data below `folder` (the `--profile` option); None goes back to the default."""
    global _profile  # noqa: PLW0603 - a process has one profile, as it has one environment
    _profile = folder.expanduser().absolute() if folder is not None else None


def _home() -> Path | None:
    if _profile is not None:
        return _profile
    value = os.environ.get("GPTDESK_HOME")
    return Path(value).expanduser().absolute() if value else None


def _shipped_roots() -> list[Path]:
    package = Path(__file__).resolve().parent
    roots = [package / "_data", package.parent]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        roots.insert(0, Path(frozen))
    return roots


def _shipped(name: str) -> Path:
    roots = _shipped_roots()
    return next((root / name for root in roots if (root / name).is_dir()), roots[-1] / name)


def resources_dir() -> Path:
    """Folder of icons, themes, translations, prompts and recipes that travel with the app."""
    return _shipped("resources")


def bundled_models_dir() -> Path:
    """Folder of the models that travel with the app."""
    return _shipped("models")


def default_model_dir() -> Path:
    """Folder of the model a fresh installation opens."""
    return bundled_models_dir() / "gptdesk-base"


def config_dir() -> Path:
    """Folder of the settings file (not created here)."""
    home = _home()
    return home / "config" if home else platformdirs.user_config_path(_APP, appauthor=False)


def data_dir() -> Path:
    """Folder of what the person would miss: own models, autosave journal (not created here)."""
    home = _home()
    return home / "data" if home else platformdirs.user_data_path(_APP, appauthor=False)


def cache_dir() -> Path:
    """Folder of what can be made again: exports in progress (not created here)."""
    home = _home()
    return home / "cache" if home else platformdirs.user_cache_path(_APP, appauthor=False)


def log_dir() -> Path:
    """Folder of the log files (not created here)."""
    home = _home()
    return home / "logs" if home else platformdirs.user_log_path(_APP, appauthor=False)


def user_models_dir() -> Path:
    """Folder where the person keeps downloaded and exported models."""
    return data_dir() / "models"


def hub_cache_dir() -> Path:
    """Folder where Hugging Face's programs keep downloads, as their variables and defaults say."""
    if os.environ.get("HF_HUB_CACHE"):
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(home).expanduser() / "hub"


def journal_dir() -> Path:
    """Folder of the autosave journal."""
    return data_dir() / "journal"
