"""A window with a tiny model, the dialog at hand, and something to learn from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.training.teacher import Teacher
from tests.ui.window_driver import Driver

SENTENCES = "The tide had gone out. Boats leaned on their keels, and nobody counted the ropes.\n\n"


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """A folder of texts, and something else."""
    folder = tmp_path / "letters"
    folder.mkdir()
    for number in range(3):
        (folder / f"letter {number}.txt").write_text(SENTENCES * 20)
    (folder / "photo.png").write_bytes(b"\x89PNG")
    return folder


@pytest.fixture
def teacher(driver: Driver, tiny_llama_dir: Path) -> Iterator[Teacher]:
    """A window with a tiny model; whatever still learns at the end is stopped."""
    driver.load(tiny_llama_dir)
    made = Teacher(driver)
    yield made
    made.desk.shut_down()
