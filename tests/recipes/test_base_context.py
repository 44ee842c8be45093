"""How well the bundled model predicts by how much it has read: a table with a row for each stretch."""

from __future__ import annotations

import importlib
import lzma
import sys
from pathlib import Path

import pytest

from gptdesk import paths
from tests.recipes.corpora import sentence


def test_a_row_for_each_stretch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(paths.resources_dir() / "recipes")
    recipe = importlib.import_module("base_context")
    for language, name in zip(("en", "zh"), recipe.SETS, strict=True):
        text = "\n".join(sentence(language, number) for number in range(400))
        (tmp_path / f"{name}.txt.xz").write_bytes(lzma.compress(text.encode()))
    monkeypatch.setattr(recipe, "ROWS", 1)
    arguments = ["--data", str(tmp_path), "--model", str(paths.default_model_dir())]
    monkeypatch.setattr(sys, "argv", ["base_context.py", *arguments])
    recipe.main()
    title, _, *rows = capsys.readouterr().out.splitlines()
    assert title.count("|") == len(recipe.SETS) + 2
    assert [row.split()[1] for row in rows] == [f"{at}–{at + 256}" for at in range(0, 2048, 256)]
    for row in rows:
        assert all(0 < float(value) < 12 for value in row.split("|")[2:4])
