"""The argument that names a model, and "-" in it for the bundled one."""

from __future__ import annotations

import argparse

from gptdesk import paths


def add_model_argument(
    parser: argparse.ArgumentParser, metavar: str = "MODEL", what: str = "model folder or file"
) -> None:
    """Add the positional argument `path`."""
    parser.add_argument("path", metavar=metavar, type=_path, help=f'{what} ("-": the bundled one)')


def _path(text: str) -> str:
    return str(paths.default_model_dir()) if text == "-" else text
