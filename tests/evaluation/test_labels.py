"""Labels are learnt by one command and measured by another, asked for in the same words."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gptdesk.cli.main import main
from gptdesk.errors import ContextOverflowError
from gptdesk.evaluation.items import LabelItem
from gptdesk.evaluation.labels import Labelled, label_all
from gptdesk.session import Model, load_model
from gptdesk.training.labelling import Labelling
from tests.helpers import checkpoints

pytestmark = pytest.mark.usefixtures("one_thread")

ASKING = ["--prompt", "{text} =", "--words", "0=bad", "1=good"]
TUNING = [
    "--epochs", "12", "--batch-tokens", "128", "--learning-rate", "0.01", "--precision", "fp32",
    "--threads", "1", "--quiet",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write_llama(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def model(folder: Path) -> Iterator[Model]:
    with contextlib.closing(load_model(folder)) as loaded:
        yield loaded


def labels_of(model: Model, items: list[LabelItem], labelling: Labelling) -> list[Labelled]:
    return [one for one in label_all(model, items, labelling) if isinstance(one, Labelled)]


def test_labels_are_learnt_and_measured(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"text": ("rain", "sea")[n % 2], "label": n % 2, "n": n} for n in range(40)]
    data, out = tmp_path / "rows.jsonl", tmp_path / "adapter"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    assert main(["finetune", str(folder), str(data), "--out", str(out), *TUNING, *ASKING]) == 0
    capsys.readouterr()
    measured = ["evaluate", str(folder), str(data), "--json", *ASKING]
    assert main([*measured, "--adapter", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0]["measures"]["accuracy"] == 100


def test_the_end_of_a_long_text_is_left_out(model: Model) -> None:
    length = model.info.context_length
    items = [LabelItem("sea rain " * length, "a"), LabelItem("sea rain " * length + "!", "b")]
    first, second = labels_of(model, items, Labelling())
    assert first.scores == second.scores


def test_a_prompt_without_room_for_any_text_is_an_error(model: Model) -> None:
    labelling = Labelling("word " * model.info.context_length + "{text}")
    items = [LabelItem("sea", "a"), LabelItem("rain", "b")]
    with pytest.raises(ContextOverflowError):
        labels_of(model, items, labelling)


def test_nothing_in_a_text_acts_as_a_control_token(model: Model) -> None:
    end = model.tokenizer.decode([min(model.tokenizer.end_ids)], skip_special=False)
    ids = model.tokenizer.encode_prompt(Labelling(f"{end}{{text}}").question(f"a {end} b"))
    assert ids.count(min(model.tokenizer.end_ids)) == 1
