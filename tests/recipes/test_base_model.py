"""The recipe of the bundled model, run whole on a few kilobytes made on the spot."""

from __future__ import annotations

import contextlib
import importlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gptdesk
from gptdesk.paths import resources_dir
from gptdesk.training.config import load_config
from gptdesk.training.instruction import kind_of
from tests.recipes.corpora import write_corpora

TINY = {
    "hidden_size": "32",
    "num_layers": "1",
    "num_heads": "2",
    "num_kv_heads": "1",
    "intermediate_size": "48",
    "head_dim": "16",
}


@pytest.fixture(scope="module")
def recipe() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(resources_dir() / "recipes")
        yield importlib.import_module("base_model")


@pytest.fixture(scope="module")
def prepared(recipe: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    work = folder / "work"
    work.mkdir()
    recipe.prepare(write_corpora(folder / "data"), work, seed=1)
    return work


def rows(work: Path, name: str) -> list[dict[str, Any]]:
    lines = (work / "tasks" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_line_is_one_that_the_second_training_reads(prepared: Path) -> None:
    for path in (prepared / "tasks").iterdir():
        for row in rows(prepared, path.stem):
            kind_of(row)
    assert {row["lang"] for row in rows(prepared, "across")} == {"zh"}
    for row in rows(prepared, "leading"):
        assert row["summary"] in row["document"]
        assert row["lang"] == "en"
    assert rows(prepared, "leading")
    assert rows(prepared, "dictionary")[0]["src_lang"] == "en"
    assert rows(prepared, "dialogue")[0]["messages"][1]["content"] == "An old man."


def test_what_is_prepared_is_not_prepared_again(recipe: ModuleType, prepared: Path) -> None:
    recipe.prepare(prepared / "nowhere", prepared, seed=1)
    assert json.loads((prepared / "prepared.json").read_text("utf-8"))["kept"]


@pytest.mark.parametrize("budget", ["cpu", "gpu"])
def test_the_configurations_name_files_that_are_written(
    recipe: ModuleType, prepared: Path, budget: str
) -> None:
    config = load_config(recipe.write_config(budget, prepared, prepared / "out"))
    places = [Path(source.path) for source in config.data.train_sources]
    places += [Path(name) for name in config.instruct.files]
    assert all(place.is_file() for place in places)
    assert len(config.instruct.files) == len(list((prepared / "tasks").iterdir()))
    assert Path(config.tokenizer.path, "tokenizer.json").is_file()
    assert config.model.context_length >= 1024


def test_the_command_makes_a_model_that_answers(
    recipe: ModuleType, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a shape and a time that suit a test; all else as it stands in the file."""
    out = prepared / "out"
    path = recipe.write_config("cpu", prepared, out)
    text = path.read_text("utf-8").replace("compile = true", "compile = false")
    text = re.sub(r"max_minutes = [\d.]+", "max_minutes = 0.03", text)
    text = text.replace("batch_tokens = 8192", "batch_tokens = 1024")
    text = text.replace("eval_rows = 32", "eval_rows = 1") + "\n[evaluate]\nrows = 1\n"
    for key, value in TINY.items():
        text = re.sub(rf"(?m)^{key} = .*\n", "", text)
        text = text.replace("[model]\n", f"[model]\n{key} = {value}\n")
    path.write_text(text, "utf-8")
    monkeypatch.setattr(recipe, "write_config", lambda *_: path)
    arguments = ["--data", "none", "--work", str(prepared), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["base_model.py", *arguments])
    assert recipe.main() == 0
    with contextlib.closing(gptdesk.load(out)) as model:
        assert set(model.profile.tasks) == {"continue", "summarize", "translate", "rewrite"}
        assert model.profile.languages == ("en", "zh", "de", "fr")
        (*_, last) = gptdesk.translate(model, "a calm harbour", source="en", target="zh")
        assert last.reason
