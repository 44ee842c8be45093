"""The configuration file: what it may say, and what is said about mistakes."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.errors import OptionError
from gptdesk.generation.sampling import Sampling
from gptdesk.paths import resources_dir
from gptdesk.training import config as configuration
from gptdesk.training.config import (
    DataSettings,
    ScheduleSettings,
    SourceSettings,
    TrainingConfig,
    load_config,
)
from gptdesk.training.result_settings import SamplingSettings, TaskSampling
from gptdesk.training.tables import Table

GOOD = '[data]\ntrain = ["texts"]\n[schedule]\nepochs = 1\n[run]\nout = "model"\n'


def load(folder: Path, text: str) -> TrainingConfig:
    path = folder / "train.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def error(folder: Path, text: str) -> OptionError:
    with pytest.raises(OptionError) as caught:
        load(folder, text)
    return caught.value


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, GOOD)
    assert config.data.train_sources[0].path == str(tmp_path / "texts")
    assert config.run.out == tmp_path / "model"
    assert config.run.work_folder == tmp_path / "model.work"


def test_a_source_may_be_a_table(tmp_path: Path) -> None:
    text = GOOD.replace('"texts"', '{ path = "x.jsonl", weight = 3, text_key = "body" }, "y"')
    first, second = load(tmp_path, text).data.train_sources
    assert (first.weight, first.text_key) == (3, "body")
    assert (second.weight, second.text_key) == (1.0, "text")


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        (GOOD.replace("train", "trian"), "[data] trian is not a key", "train?"),
        (GOOD.replace("[schedule]", "[shedule]"), "no table [shedule]", "[schedule]?"),
        (GOOD.replace("epochs", "epoch"), "[schedule] epoch is not", "epochs?"),
        (GOOD.replace("epochs = 1", ""), "does not say how long", "max_minutes"),
        (GOOD.replace("epochs = 1", "epochs = 0"), "at least 0.001; it is 0", ""),
        (GOOD + "seed = -3", "[run] seed must be a whole number from 0 to", ""),
        (GOOD + "seed = true", "[run] seed must be a whole number", ""),
        (GOOD + "compile = 1", "[run] compile must be true or false; it is 1", ""),
        (GOOD + 'precision = "fp23"', 'one of "auto", "fp32"', '"fp32"?'),
        (GOOD.replace('["texts"]', '"texts"'), "must be a list, each entry a text", ""),
        (GOOD.replace('["texts"]', "[]"), "[data] train names no text", ""),
        (GOOD.replace('"texts"', '{path = "x", wieght = 2}'), "[data.train] wieght", "weight?"),
        (GOOD.replace('"texts"', "{weight = 2}"), "[data.train] path is missing", ""),
        (GOOD + "[optimizer]\nbetas = [0.9]", "betas has 1 entries", "[0.9, 0.95]"),
        (GOOD + "[optimizer]\nbetas = [0.9, 2]", "each entry a number from 0 to", ""),
        (GOOD.replace("[run]", "[run"), "is not valid TOML", "line"),
        (GOOD + "[sampling.contine]\ntop_k = 1", "[sampling] contine is not a key", "continue?"),
        (GOOD + "[sampling.continue]\ntop_k = -1", "top_k must be a whole number from 0", ""),
        (GOOD + "[sampling]\ncontinue = 1", "[sampling] continue must be a table", ""),
        (GOOD + '[experimental]\nlanguages = ["de"]', 'names "de", which [model]', "both"),
        ("seed = 3\n" + GOOD, "seed stands above the tables", "[run]"),
        ('[data]\ntrain = ["x"]', "[run] is missing", "[run]"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, title: str, hint: str) -> None:
    found = error(tmp_path, text)
    assert str(tmp_path / "train.toml") in found.title
    assert title in found.title
    assert hint in found.hint


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="No such file") as caught:
        load_config(tmp_path / "absent.toml")
    assert "--example" in caught.value.hint


def test_code_is_checked_like_a_file() -> None:
    with pytest.raises(OptionError, match=r"\[schedule\] kind"):
        ScheduleSettings(kind="cosin")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"\[data\] min_chars"):
        DataSettings(train=("x",), min_chars=0)


def test_what_is_said_for_the_finished_model(tmp_path: Path) -> None:
    text = (
        '[model]\nlanguages = ["en", "de"]\n[experimental]\nlanguages = ["de"]\n'
        "[sampling.continue]\ntop_k = 30\n[sampling.translate]\ntemperature = 0\ntop_p = 0.5\n"
    )
    config = load(tmp_path, GOOD + text)
    assert config.experimental.languages == ("de",)
    assert config.sampling.by_task() == {
        "continue": {"top_k": 30},
        "translate": {"temperature": 0, "top_p": 0.5},
    }


def test_decoding_values_have_the_names_and_bounds_that_writing_knows() -> None:
    """They stand below the layer that writes, so nothing else holds the two together."""
    known = {field.name for field in fields(Sampling)}
    assert {field.name for field in fields(TaskSampling)} <= known
    assert known - {field.name for field in fields(TaskSampling)} == {
        "logit_bias", "banned", "seed", "stop", "top_logprobs"
    }  # fmt: skip
    usual = Sampling()
    for field in fields(TaskSampling):
        annotated, _ = get_args(_hints()[field.name])  # and None
        limits = get_args(annotated)[1]
        for bound in (limits.low, limits.high):
            usual.with_values(TaskSampling(**{field.name: bound}).values())
        with pytest.raises(OptionError):
            usual.with_values({field.name: limits.high + 1})
        with pytest.raises(OptionError):
            usual.with_values({field.name: limits.low - 1})
        with pytest.raises(OptionError):
            TaskSampling(**{field.name: limits.high + 1})


def _hints() -> dict[str, Any]:
    return get_type_hints(TaskSampling, include_extras=True)


@given(st.text(max_size=80))
def test_any_text_is_a_configuration_or_an_option_error(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.toml"
        path.write_bytes(text.encode("utf-8", "replace"))
        with pytest.raises(OptionError):
            load_config(path)


def _tables() -> list[type[Table]]:
    found = [kind for kind in vars(configuration).values() if isinstance(kind, type)]
    return [kind for kind in found if issubclass(kind, Table) and kind.TABLE]


def test_the_example_is_valid_and_shows_every_key(tmp_path: Path) -> None:
    text = (resources_dir() / "recipes" / "train.toml").read_text("utf-8")
    load(tmp_path, text)
    bare = re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE)
    whole: dict[str, Any] = tomllib.loads(bare)
    for kind in _tables():
        if kind not in (SourceSettings, SamplingSettings):
            assert set(whole[kind.TABLE]) == {field.name for field in fields(kind)}, kind.TABLE
    assert set(whole["sampling"]["translate"]) == {field.name for field in fields(TaskSampling)}
    load(tmp_path, bare)
