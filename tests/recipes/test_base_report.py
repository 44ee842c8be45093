"""The tables of the bundled model's card: every measure run, beside what it has to beat."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gptdesk import paths
from tests.recipes.corpora import write_corpora


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(paths.resources_dir() / "recipes")
        return importlib.import_module("base_report")


CHOSEN = ("prose_zh_law", "sum_en_web", "zh-en", "proofread en")


def test_figures_stand_beside_baselines_with_their_commands(
    recipe: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, work = write_corpora(tmp_path / "data"), tmp_path / "work"
    work.mkdir()
    recipe_text = importlib.import_module("base_corpus")
    recipe_text.write_text(recipe_text.Corpora(data), work / "text")
    baselines = tmp_path / "baselines.json"
    figures = {"prose_zh_law.test": {"bits per byte": 3.0}}
    baselines.write_text(json.dumps({"ngram": {"figures": figures}}), "utf-8")
    arguments = ["--data", data, "--work", work, "--model", paths.default_model_dir()]
    arguments += ["--baselines", baselines, "--only", *CHOSEN]
    monkeypatch.setattr(sys, "argv", ["base_report.py", *map(str, arguments)])
    recipe.main()
    said = capsys.readouterr().out
    assert "    gptdesk evaluate models/gptdesk-base DATA/mt_en-zh.test.jsonl.xz --reverse" in said
    assert "| `prose_zh_law` |" in said
    assert "| 3.00 |" in said
    for title in ("Text", "Summaries", "Translation", "Proofreading", "Manners"):
        assert f"### {title}" in said
    recipe.main()
    assert capsys.readouterr().out == said, "what was measured is not measured again"


def test_every_measure_names_a_file_that_is_there(recipe: ModuleType, tmp_path: Path) -> None:
    data = write_corpora(tmp_path / "data")
    made = ("proofread", "simplify")
    for split in ("dev", "test"):
        chosen = list(recipe.measures(split))
        assert len({measure.name for measure in chosen}) == len(chosen)
        for measure in chosen:
            assert (data / measure.file).is_file() or measure.file.startswith(made)
