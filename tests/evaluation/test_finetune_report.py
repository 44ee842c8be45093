"""The report of a fine-tune: honest figures, samples, and questions as the tasks put them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import gptdesk
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.errors import DocumentError
from gptdesk.evaluation.copying import Copied
from gptdesk.evaluation.finetune_page import Report, Sample, as_data, as_page
from gptdesk.evaluation.finetune_report import finetune_and_report
from gptdesk.evaluation.perplexity import Likelihood, measure_text
from gptdesk.evaluation.task_questions import TaskQuestions, questions_for
from gptdesk.model.lora_settings import LoraSettings
from gptdesk.tasks.profile import ModelProfile, TaskProfile
from gptdesk.training.events import (
    FinetuneReport,
    TrainingEvent,
    TrainingFinished,
    from_json,
    to_json,
)
from gptdesk.training.finetune_settings import FinetuneSettings
from tests.training import corpus

PAIR = {"src": "the calm sea", "tgt": "die See", "src_lang": "en", "tgt_lang": "de"}
SUMMARY = {"document": corpus.document(1), "summary": "A ship came from the north."}


def asked(model: Path, data: Path, out: Path, **changes: Any) -> FinetuneSettings:
    values: dict[str, Any] = {
        "epochs": 3.0,
        "context": 64,
        "batch_tokens": 256,
        "learning_rate": 1e-2,
        "precision": "fp32",
        "threads": 1,
        "lora": LoraSettings(rank=4, alpha=8.0),
    }
    return FinetuneSettings(model=model, data=(str(data),), out=out, **(values | changes))


def told(events: list[TrainingEvent]) -> FinetuneReport:
    report, last = events[-2:]
    assert isinstance(report, FinetuneReport)
    assert isinstance(last, TrainingFinished)
    assert from_json(to_json(report)) == report
    return report


def likelihood(path: Path, text: str, adapter: Path | None = None) -> Likelihood:
    model = gptdesk.load(path, engine="torch", adapter=adapter)
    *_, last = measure_text(model, text)
    model.close()
    assert isinstance(last, Likelihood)
    return last


def test_the_figures_are_those_of_text_it_has_not_seen(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    page, held, out = tmp_path / "page.txt", tmp_path / "held.txt", tmp_path / "style"
    page.write_text(corpus.document(1, 40), "utf-8")
    held.write_text(corpus.document(2, 8), "utf-8")
    settings = asked(tiny_llama_dir, page, out, validation=(str(held),))
    report = told(list(finetune_and_report(settings)))
    text = corpus.document(2, 8).strip("\n")
    before, after = likelihood(tiny_llama_dir, text), likelihood(tiny_llama_dir, text, out)
    assert report.perplexity_before == pytest.approx(before.perplexity, rel=1e-4)
    assert report.perplexity_after == pytest.approx(after.perplexity, rel=1e-4)
    assert report.bits_per_byte_after == pytest.approx(after.bits_per_byte, rel=1e-4)
    assert after.perplexity < before.perplexity
    assert report.held_out_tokens == after.tokens
    data = json.loads((out / "report.json").read_text("utf-8"))
    assert data["after"]["tokens"] == after.tokens
    assert {sample["source"] for sample in data["samples"]} == {"held-out text", "training text"}
    assert "| perplexity |" in Path(report.path).read_text("utf-8")


def test_answers_are_measured_and_asked_for_too(tiny_gpt2_dir: Path, tmp_path: Path) -> None:
    rows = [{**PAIR, "src": f"lamp {n}", "tgt": f"Lampe {n}"} for n in range(12)]
    data, out = tmp_path / "rows.jsonl", tmp_path / "mine"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    settings = asked(tiny_gpt2_dir, data, out, context=256, method="full", learning_rate=1e-3)
    report = told(list(finetune_and_report(settings)))
    assert report.perplexity_before is not None
    assert report.perplexity_after is not None
    assert report.perplexity_after < report.perplexity_before
    page = Path(report.path).read_text("utf-8")
    assert "2 answers" in page, "one line is held out and asked in both directions"
    assert "German: Lampe" in page or "English: lamp" in page


def test_nothing_held_out_is_said_and_no_figure_invented(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    page, out = tmp_path / "page.txt", tmp_path / "style"
    page.write_text(corpus.document(1, 3), "utf-8")
    report = told(list(finetune_and_report(asked(tiny_llama_dir, page, out, epochs=1.0))))
    assert (report.perplexity_before, report.held_out_tokens) == (None, 0)
    assert "Nothing was held out" in Path(report.path).read_text("utf-8")


def test_a_text_learnt_by_heart_sounds_the_alarm(tiny_llama_dir: Path, tmp_path: Path) -> None:
    page, out = tmp_path / "page.txt", tmp_path / "heart"
    words = "Nobody on the island knew why the old keeper wrote one letter each evening though"
    more = "no boat ever came to carry it away and rain fell softly over every calm grey harbour."
    page.write_text(f"{words} {more}", "utf-8")
    settings = asked(
        tiny_llama_dir, page, out, epochs=80.0, method="full", learning_rate=3e-3, context=128
    )
    report = told(list(finetune_and_report(settings)))
    assert report.copied_words >= 15
    assert "repeat the training text word for word" in report.alarm
    assert report.copied_text in f"{words} {more}".lower()


def test_the_page_warns_of_what_was_copied() -> None:
    figures = Likelihood(10.0, 5, 20)
    samples = [
        Sample("training text", "greedy", "One", "two"),
        Sample("held-out text", "sampled", "A", "b"),
    ]
    copied = [Copied(0, 40, "w " * 40, 1, True), Copied(1, 3, "a b c")]
    report = Report("base", "lora", "out", 3, math.nan, figures, figures, "x", samples, copied)
    assert "1 of 2 samples repeat" in report.alarm
    page = as_page(report)
    assert "**Warning: 1 of 2 samples" in page
    assert "no better than before" in page
    json.dumps(as_data(report), allow_nan=False)


def questions(folder: Path, profile: ModelProfile | None = None) -> TaskQuestions:
    from gptdesk.checkpoints.companions import load_tokenizer

    found = resolve_folder(folder)
    tokenizer = load_tokenizer(found)
    if profile is None:
        return questions_for(found, tokenizer, 512)
    return TaskQuestions(tokenizer, profile, 256)


def texts(row: dict[str, Any], asked: TaskQuestions) -> list[tuple[str, str]]:
    return [
        ("".join(p.text for p in q.prompt), "".join(p.text for p in q.answer)) for q in asked(row)
    ]


def test_questions_are_put_in_the_style_of_the_model(
    tiny_llama_dir: Path, tiny_gpt2_dir: Path
) -> None:
    template = TaskProfile("<|im_start|>{form} {language}: {text} =>")
    asked = questions(tiny_gpt2_dir, ModelProfile(tasks={"summarize": template}))
    ((prompt, answer),) = texts(SUMMARY, asked)
    assert prompt == f"<|im_start|>paragraph en: {SUMMARY['document'].strip()} =>"
    assert answer == "A ship came from the north.<|endoftext|>"
    there, back = texts(PAIR, questions(tiny_gpt2_dir))
    assert there[0].endswith("English: the calm sea\nGerman:")
    assert there[1] == " die See\n<|endoftext|>"
    assert back[0].endswith("German: die See\nEnglish:")
    ((prompt, answer),) = texts(SUMMARY, questions(tiny_llama_dir))
    assert "<text>" in prompt
    assert prompt.endswith("<|im_start|>assistant\n")
    assert answer == "A ship came from the north.<|im_end|>"


def test_rewritings_are_asked_for_as_the_task_asks(tiny_gpt2_dir: Path) -> None:
    row = {"text": "It have ended.", "rewritten": "It has ended."}
    template = TaskProfile("<|im_start|>{style}: {text} =>")
    asked = questions(tiny_gpt2_dir, ModelProfile(tasks={"rewrite": template}))
    ((prompt, answer),) = texts({**row, "style": "simplify"}, asked)
    assert prompt == "<|im_start|>simplify: It have ended. =>"
    assert answer == "It has ended.<|endoftext|>"
    ((prompt, answer),) = texts(row, questions(tiny_gpt2_dir))
    assert prompt.endswith("Original: It have ended.\nCorrected:")
    assert answer == " It has ended.\n<|endoftext|>"
    for bad, told in (({**row, "style": "poem"}, "poem"), ({"text": "One."}, "text alone")):
        with pytest.raises(DocumentError, match=told):
            asked(bad)


def test_a_long_document_is_cut_to_leave_room_for_its_summary(
    tiny_llama_dir: Path, tiny_gpt2_dir: Path
) -> None:
    row = {**SUMMARY, "document": corpus.document(1, 200)}
    for folder in (tiny_llama_dir, tiny_gpt2_dir):
        ((prompt, _),) = texts(row, questions(folder))
        assert row["document"].strip()[:40] in prompt
        assert len(prompt) < len(row["document"]) / 4


@pytest.mark.parametrize(
    "row", [{"messages": [{"role": "user", "content": "x"}]}, {**PAIR, "tgt_lang": "xx"}, {"a": 1}]
)
def test_what_the_model_cannot_be_asked_is_refused(
    tiny_gpt2_dir: Path, row: dict[str, Any]
) -> None:
    with pytest.raises(DocumentError):
        questions(tiny_gpt2_dir)(row)
