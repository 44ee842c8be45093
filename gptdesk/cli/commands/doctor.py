"""`gptdesk doctor`: whether everything that gptdesk needs is here and works."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import gptdesk
from gptdesk import atomic, paths
from gptdesk.errors import GptDeskError

_PACKAGES = ("torch", "PySide6-Essentials", "tokenizers", "safetensors", "numpy", "jinja2", "onnx")
_BAD_PYSIDE = "6.12.0"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, what was found, and whether it is good."""

    name: str
    found: str
    ok: bool = True


def run(options: argparse.Namespace) -> int:
    """Print every check; exit code 1 when one failed."""
    checks = [_versions(), *_packages(), *_folders(), *_guarded(_devices), *_guarded(_model)]
    if options.json:
        print(json.dumps([asdict(check) for check in checks], ensure_ascii=False, indent=1))
    else:
        for check in checks:
            print(f"{'ok ' if check.ok else 'BAD'} {check.name:<20} {check.found}")
    return 0 if all(check.ok for check in checks) else 1


def _versions() -> Check:
    system = f"Python {platform.python_version()}, {platform.platform()}"
    return Check("gptdesk", f"{gptdesk.__version__}, {system}", sys.version_info >= (3, 11))


def _packages() -> list[Check]:
    return [_package(name) for name in _PACKAGES] + [_onnxruntime()]


def _package(name: str) -> Check:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, "not installed", ok=False)
    broken = name.startswith("PySide6") and version == _BAD_PYSIDE
    return Check(
        name,
        f"{version} ends the process after some 500 signals" if broken else version,
        not broken,
    )


def _onnxruntime() -> Check:
    kinds = [c for c in (_package("onnxruntime-gpu"), _package("onnxruntime")) if c.ok]
    if len(kinds) == 1:
        return kinds[0]
    return Check(
        "onnxruntime",
        "two packages that overwrite each other are installed" if kinds else "not installed",
        ok=False,
    )


def _folders() -> list[Check]:
    folders = {
        "settings": paths.config_dir(),
        "data": paths.data_dir(),
        "cache": paths.cache_dir(),
        "logs": paths.log_dir(),
    }
    return [_writable(name, folder) for name, folder in folders.items()] + [
        Check("resources", str(paths.resources_dir()), paths.resources_dir().is_dir())
    ]


def _writable(name: str, folder: Path) -> Check:
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(probe, b"")
        probe.unlink()
    except OSError as error:
        return Check(name, f"{folder}: {error}", ok=False)
    return Check(name, str(folder))


def _guarded(look: Callable[[], list[Check]]) -> list[Check]:
    """Findings of `look`; a runtime that cannot even be imported is a finding too."""
    try:
        return look()
    except (GptDeskError, ImportError, OSError, RuntimeError) as error:
        return [Check(look.__name__.strip("_"), str(error), ok=False)]


def _devices() -> list[Check]:
    from gptdesk.engines import onnx_engine, torch_engine

    return [
        Check("torch devices", ", ".join(torch_engine.devices())),
        Check("onnx providers", ", ".join(onnx_engine.devices())),
    ]


def _model() -> list[Check]:
    from gptdesk.checkpoints.inspection import inspect_model

    info = inspect_model(paths.default_model_dir())
    return [Check("bundled model", info.refusal or f"{info.name}: {info.path}", not info.refusal)]
