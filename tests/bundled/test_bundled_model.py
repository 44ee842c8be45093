"""The model that a fresh checkout opens: complete, small enough, and well-mannered."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import gptdesk
from gptdesk import paths
from gptdesk.session import Model
from gptdesk.tasks.profile import read_profile
from gptdesk.text.language import guess_language
from gptdesk.text.tokenizer import Tokenizer

FOLDER = paths.default_model_dir()
MEGABYTES = 48
TEXTS = {
    "en": "The file could not be opened. Please check that it exists and try again.",
    "zh": "这个函数返回一个列表。如果没有找到文件，则返回空列表。",
}
DOCUMENT = (
    "We present a method to train small language models on ordinary computers. It reads text in "
    "several languages and learns to translate between them. Experiments show that the method "
    "uses less memory than before and reaches the same quality."
)


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with contextlib.closing(gptdesk.load(FOLDER)) as loaded:
        yield loaded


def answer(model: Model, task: str, text: str, **options: str) -> tuple[str, str]:
    """What the model writes and why it ended."""
    *pieces, last = model.run(task, text, options)
    return "".join(piece.text for piece in (*pieces, last)).strip(), last.reason


def test_it_is_small_and_has_what_others_need_to_load_it() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sum(files.values()) < MEGABYTES * 1_000_000
    assert {"config.json", "tokenizer.json", "gptdesk.json", "MODEL_CARD.md"} <= files.keys()
    config = json.loads((FOLDER / "config.json").read_text("utf-8"))
    assert config["model_type"] == "llama"
    assert config["max_position_embeddings"] >= 1024


def test_transformers_computes_the_same_logits(model: Model) -> None:
    from transformers import AutoModelForCausalLM

    reference = AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    ids = Tokenizer.from_folder(FOLDER).encode(TEXTS["en"] + TEXTS["zh"])
    with torch.no_grad():
        wanted = reference(torch.tensor([ids])).logits[0].log_softmax(-1)  # (T, vocabulary)
    scores = model.log_probabilities(ids)
    expected = [float(wanted[at, token]) for at, token in enumerate(ids[1:])]
    assert scores == pytest.approx(expected, abs=1e-4)


def test_every_task_and_language_has_its_control_tokens() -> None:
    profile, tokenizer = read_profile(FOLDER), Tokenizer.from_folder(FOLDER)
    assert set(profile.tasks) == {"continue", "summarize", "translate", "rewrite"}
    assert profile.languages == ("en", "zh", "de", "fr")
    assert profile.experimental.languages == ("de", "fr")
    special = {tokenizer.decode([token], skip_special=False) for token in tokenizer.special_ids}
    named = {*profile.languages, "headline", "paragraph", "proofread", "simplify", "answer"}
    assert {f"<|{name}|>" for name in named} <= special


@pytest.mark.parametrize(("source", "target"), [("en", "zh"), ("zh", "en")])
def test_a_translation_ends_by_itself_in_the_language_asked_for(
    model: Model, source: str, target: str
) -> None:
    text, reason = answer(model, "translate", TEXTS[source], source=source, target=target)
    assert reason == "stop"
    assert guess_language(text) == target


@pytest.mark.parametrize(("form", "language"), [("headline", "en"), ("paragraph", "zh")])
def test_a_summary_ends_by_itself_in_the_language_asked_for(
    model: Model, form: str, language: str
) -> None:
    text, reason = answer(model, "summarize", DOCUMENT, form=form, language=language)
    assert reason == "stop"
    assert guess_language(text) in (language, ""), "a headline may be too short to tell"


def test_clean_sentences_stay_as_they_are(model: Model) -> None:
    text, reason = answer(model, "rewrite", TEXTS["en"], style="proofread")
    assert (text, reason) == (TEXTS["en"], "stop")


def test_the_card_says_how_to_get_every_figure() -> None:
    card = (FOLDER / "MODEL_CARD.md").read_text("utf-8")
    for command in ("base_model.py", "base_report.py", "base_baselines.py", "gptdesk bench"):
        assert command in card
    assert Path(paths.resources_dir(), "recipes", "base_model.py").is_file()
