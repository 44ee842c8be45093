"""Whole evaluations of a tiny model: reports, their repetition, cancels, and the command."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.cli.main import main
from gptdesk.errors import DocumentError, OptionError
from gptdesk.evaluation.answers import leading_sentences
from gptdesk.evaluation.evaluate import EvaluationSettings, FileReport, evaluate, facts
from gptdesk.evaluation.items import Selection
from gptdesk.session import Model, load_model
from gptdesk.training.labelling import Labelling
from tests.helpers import adapters, checkpoints

LETTERS = "The keeper wrote a letter every evening, though no boat came to carry it away. "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoints.write_llama(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def model(folder: Path) -> Iterator[Model]:
    with contextlib.closing(load_model(folder)) as loaded:
        yield loaded


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    rows: dict[str, list[dict[str, Any]]] = {
        "summaries": [
            {"document": f"{LETTERS}Number {n}. The storm was over.", "summary": "A letter."}
            for n in range(3)
        ],
        "translations": [
            {
                "src": "The storm was over.",
                "tgt": "暴风雨过后。",
                "src_lang": "en",
                "tgt_lang": "zh",
            },
            {"src": "灯还亮着。", "tgt": "The lamp burned.", "src_lang": "zh", "tgt_lang": "en"},
        ],
        "rewrites": [
            {"text": "The lamp burned.", "rewritten": "The lamp burned."},
            {"text": "The the storm was over.", "rewritten": "The storm was over."},
        ],
        "labels": [{"text": f"It was good {n}.", "label": n % 2} for n in range(4)],
    }
    paths = {}
    for name, lines in rows.items():
        paths[name] = tmp_path / f"{name}.jsonl"
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        paths[name].write_text(text, "utf-8")
    paths["prose"] = tmp_path / "prose.txt"
    paths["prose"].write_text(LETTERS * 3, "utf-8")
    return paths


SETTINGS = EvaluationSettings(sampling={"max_new_tokens": 8})


def reports(model: Model, paths: list[Path], settings: EvaluationSettings) -> list[FileReport]:
    return [item for item in evaluate(model, paths, settings) if isinstance(item, FileReport)]


def test_every_kind_has_its_measures(model: Model, files: dict[str, Path]) -> None:
    found = {report.kind: report for report in reports(model, list(files.values()), SETTINGS)}
    assert {kind: report.items for kind, report in found.items()} == {
        "summaries": 3,
        "translations": 2,
        "rewrites": 2,
        "labels": 4,
        "prose": 1,
    }
    assert all(report.complete for report in found.values())
    assert {"rougeL", "rougeL of the lead", "ended by itself"} <= found["summaries"].measures.keys()
    names = {"bleu en-zh", "chrf zh-en", "bleu zh-en of a copy", "wrong language"}
    assert names <= found["translations"].measures.keys()
    names = {"errors repaired", "f0.5", "clean left alone", "wrong language"}
    assert names <= found["rewrites"].measures.keys()
    assert found["rewrites"].rows[1]["rewritten"] == "The storm was over."
    assert found["labels"].measures["commonest label"] == 50
    assert found["prose"].measures["bits per byte"] > 0
    assert found["summaries"].rows[0]["references"] == ("A letter.",)
    assert len(found["translations"].signatures) == 3


def test_styles_of_rewriting_have_measures_of_their_own(model: Model, tmp_path: Path) -> None:
    row = {"text": "It came, and it went.", "rewritten": "It came. It went.", "style": "simplify"}
    path = tmp_path / "simple.jsonl"
    path.write_text(f"{json.dumps(row)}\n", "utf-8")
    (report,) = reports(model, [path], SETTINGS)
    assert report.measures["bleu of a copy"] < 100
    assert report.measures["sentences of people"] == 2
    assert len(report.signatures) == 1
    path.write_text(f"{json.dumps(row)}\n{json.dumps({**row, 'style': 'proofread'})}\n", "utf-8")
    (report,) = reports(model, [path], SETTINGS)
    assert {"simplify: bleu", "proofread: errors repaired"} <= report.measures.keys()


def test_the_same_again(model: Model, files: dict[str, Path]) -> None:
    settings = EvaluationSettings(
        selection=Selection(sample=2, seed=5), sampling={"max_new_tokens": 8}
    )
    first = reports(model, list(files.values()), settings)
    assert first == reports(model, list(files.values()), settings)
    assert facts(model, settings) == facts(model, settings)


def test_facts_tell_models_and_adapters_apart(model: Model, folder: Path, tmp_path: Path) -> None:
    def fingerprint(loaded: Model) -> str:
        return str(facts(loaded, SETTINGS)["fingerprint"])

    before = fingerprint(model)
    other = checkpoints.write_llama(tmp_path / "tiny", seed=3)
    with contextlib.closing(load_model(other)) as trained_otherwise:
        assert trained_otherwise.config == model.config
        assert fingerprint(trained_otherwise) != before
    model.load_adapter(adapters.write(folder, tmp_path / "style", r=4, target_modules="all-linear"))
    assert facts(model, SETTINGS)["adapter"] == "style"
    assert fingerprint(model) != before
    model.adapter_enabled = False
    assert facts(model, SETTINGS)["adapter"] == ""
    assert fingerprint(model) == before


def test_a_cancel_gives_what_was_done(model: Model, files: dict[str, Path]) -> None:
    cancel = ThreadCancelFlag()
    found = []
    for event in evaluate(model, [files["summaries"], files["prose"]], SETTINGS, cancel):
        cancel.set()
        found.append(event)
    (report,) = [item for item in found if isinstance(item, FileReport)]
    assert (report.items, report.complete) == (1, False)


def test_a_mistake_in_the_last_file_is_told_first(
    model: Model, files: dict[str, Path], tmp_path: Path
) -> None:
    events = evaluate(model, [files["labels"], tmp_path / "none.txt"], SETTINGS)
    with pytest.raises(DocumentError, match=r"none\.txt"):
        next(events)


def test_labels_need_a_choice_and_a_place(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"text": "a", "label": "b"}\n', "utf-8")
    with pytest.raises(OptionError, match="have the label 'b'"):
        reports(model, [path], SETTINGS)
    with pytest.raises(OptionError, match=r"no \{text\}"):
        Labelling("Sentiment:")


def test_leading_sentences_come_nearest_to_a_length() -> None:
    text = "One two. Three four. Five six."
    assert leading_sentences(text, 10) == "One two."
    assert leading_sentences(text, 19) == "One two. Three four."
    assert leading_sentences("no end", 3) == "no end"


def test_the_command(
    folder: Path, files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    arguments = [str(folder), str(files["translations"]), str(files["prose"])]
    flags = ["--limit", "1", "--max-new-tokens", "4", "--out", str(out)]
    assert main(["evaluate", *arguments, *flags, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [file["items"] for file in report["files"]] == [1, 1]
    assert report["sampling"] == {"max_new_tokens": 4}
    (row,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert row["text"] == "The storm was over."
    assert main(["evaluate", *arguments, *flags]) == 0
    printed = capsys.readouterr().out
    assert "bits per byte" in printed
    assert "translations.jsonl: translations, 1 of 2" in printed


@pytest.mark.parametrize("flags", [["--option", "form"], ["--limit", "-1"], ["--words", "1"]])
def test_bad_flags_are_errors(
    folder: Path, files: dict[str, Path], flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(folder), str(files["prose"]), *flags]) == 2
    assert flags[0] in capsys.readouterr().err
