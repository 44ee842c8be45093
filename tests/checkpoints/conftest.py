"""Copies of checkpoints that a test may damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(tiny_llama_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama_dir, tmp_path / "model"))


@pytest.fixture
def sharded(tiny_llama_sharded_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_llama_sharded_dir, tmp_path / "sharded"))
