"""What training writes: every preset loads elsewhere, and is asked as it was taught."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import gptdesk
from gptdesk.checkpoints.experimental import Experimental
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.model.gpt import GPT
from gptdesk.session import Model
from gptdesk.tasks.profile import read_profile
from gptdesk.text.prompt import Prompt
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.config import ModelSettings, Pattern, Preset, TokenizerSettings
from gptdesk.training.initialise import initialise
from gptdesk.training.instruction import ExampleReader, TemplateRenderer
from gptdesk.training.presets import PRESETS, build_model_config
from gptdesk.training.release import Card, write_release
from gptdesk.training.task_templates import end_text, templates_for
from gptdesk.training.tokenizer_training import special_tokens, train_tokenizer, write_tokenizer
from tests.training import corpus

TEXT = "The old keeper wrote 12 letters: 灯塔."
VOCAB, CONTEXT = 400, 128
TASKS = ("summarize", "translate", "chat")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_patterned(tmp_path_factory.mktemp("tokenizer"), "qwen2")


def write_patterned(folder: Path, pattern: Pattern) -> Path:
    texts = (corpus.document(number) for number in range(30))
    specials = special_tokens(TokenizerSettings(), [])
    write_tokenizer(train_tokenizer(texts, pattern, VOCAB, specials), folder, CONTEXT)
    return folder


def release(settings: ModelSettings, tokenizer: Path, out: Path) -> Path:
    """A model of random weights, none of them 0 as new biases are."""
    gpt = GPT(build_model_config(settings, VOCAB))
    initialise(gpt, 1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in gpt.parameters():
            weight += 0.05 * torch.randn(weight.shape, generator=generator)
    write_release(gpt, tokenizer, Card("Model", "", (), TASKS), out, bf16=True)
    return out


@pytest.fixture(scope="module")
def taught(tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    settings = ModelSettings(hidden_size=32, num_layers=1, head_dim=8, context_length=CONTEXT)
    out = release(settings, tokenizer, tmp_path_factory.mktemp("taught") / "model")
    with contextlib.closing(gptdesk.load(out, engine="torch")) as model:
        yield model


@pytest.mark.parametrize("layout", ["llama", "gpt2"])
@pytest.mark.parametrize("preset", PRESETS)
def test_transformers_computes_the_same(
    tokenizer: Path, tmp_path: Path, preset: Preset, layout: Any
) -> None:
    settings = ModelSettings(preset=preset, layout=layout, num_layers=1, context_length=CONTEXT)
    out = release(settings, tokenizer, tmp_path / "model")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(out, dtype=torch.float32)
    with contextlib.closing(gptdesk.load(out, engine="torch", dtype="fp32")) as ours:
        assert ours.warnings == []
        ids = ours.tokenizer.encode(TEXT)
        logits = ours.logits(ids)
    with torch.no_grad():
        wanted = theirs(torch.tensor([ids])).logits[0].numpy()
    np.testing.assert_allclose(logits, wanted, rtol=0, atol=2e-4 * np.abs(wanted).max())


def asked(model: Model, monkeypatch: pytest.MonkeyPatch, task: str, **options: Any) -> list[int]:
    """The ids that the model is first given when a task runs."""
    prompts: list[list[int]] = []
    encode = Tokenizer.encode_prompt

    def noted(tokenizer: Tokenizer, prompt: Prompt) -> list[int]:
        prompts.append(encode(tokenizer, prompt))
        return prompts[-1]

    with monkeypatch.context() as patch:
        patch.setattr(Tokenizer, "encode_prompt", noted)
        list(getattr(gptdesk, task)(model, **options, max_new_tokens=1))
    return max(prompts, key=len)


def learnt(model: Model, row: dict[str, Any], folder: Path) -> list[list[int]]:
    """The ids before the answers of a line, as training renders it."""
    path = folder / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n", "utf-8")
    tokenizer = model.tokenizer
    renderer = TemplateRenderer(templates_for(tokenizer), end_text(tokenizer), tokenizer)
    examples = ExampleReader(tokenizer, renderer, CONTEXT).read(path, lambda _: True)
    return [example.ids[: example.answer_start] for example in examples]


@pytest.mark.parametrize("summary", ["Rain on the harbour", "Rain fell on the harbour."])
def test_a_summary_is_asked_for_as_it_was_learnt(
    taught: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, summary: str
) -> None:
    text = "Rain fell on the harbour while the old keeper wrote a letter."
    (prompt,) = learnt(taught, {"document": text, "summary": summary}, tmp_path)
    form = "paragraph" if summary.endswith(".") else "headline"
    assert asked(taught, monkeypatch, "summarize", text=text, form=form) == prompt


def test_a_translation_is_asked_for_as_it_was_learnt(
    taught: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = {"src": "The calm sea.", "tgt": "平静的海。", "src_lang": "en", "tgt_lang": "zh"}
    there, back = learnt(taught, row, tmp_path)
    options = {"text": row["src"], "source": "en", "target": "zh"}
    assert asked(taught, monkeypatch, "translate", **options) == there
    options = {"text": row["tgt"], "source": "zh", "target": "en"}
    assert asked(taught, monkeypatch, "translate", **options) == back


def test_the_profile_tells_weak_points_and_how_to_decode(tokenizer: Path, tmp_path: Path) -> None:
    settings = ModelSettings(hidden_size=32, num_layers=1, head_dim=8, context_length=CONTEXT)
    gpt = GPT(build_model_config(settings, VOCAB))
    initialise(gpt, 1)
    sampling = {"translate": {"temperature": 0.25, "max_new_tokens": 300}, "chat": {"top_k": 9}}
    weak = Experimental(("de",), 700)
    card = Card("Model", "", ("en", "de"), (*TASKS, "rewrite"), weak, sampling, certainty=0.8)
    write_release(gpt, tokenizer, card, tmp_path / "model", bf16=True)
    profile = read_profile(tmp_path / "model")
    assert profile.experimental == weak
    assert inspect_model(tmp_path / "model").experimental == weak
    assert inspect_model(tmp_path / "model").languages == ("en", "de")
    assert profile.certainty("rewrite") == 0.8
    assert profile.certainty("summarize") == 0.0
    usual = profile.advice("summarize")
    assert usual["temperature"] == 0.0
    assert profile.advice("translate") == usual | sampling["translate"]


def test_a_conversation_goes_on_as_it_was_learnt(
    taught: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    question = {"role": "user", "content": "Who wrote?"}
    row = {"messages": [question, {"role": "assistant", "content": "The keeper."}]}
    (prompt,) = learnt(taught, row, tmp_path)
    assert taught.tokenizer.apply_chat_template([question]) == taught.tokenizer.decode(
        prompt, False
    )


# As the tokenizer.json of meta-llama/Meta-Llama-3-8B and Qwen/Qwen2-0.5B have them: llama.cpp
# knows these under the names llama-bpe and qwen2, and GPT-2's own under gpt-2.
KNOWN = {
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}


@pytest.mark.parametrize("pattern", ["gpt2", "llama3", "qwen2"])
def test_text_is_split_by_a_pattern_that_others_know(tmp_path: Path, pattern: Pattern) -> None:
    data = json.loads((write_patterned(tmp_path, pattern) / "tokenizer.json").read_text("utf-8"))
    splitting = data["pre_tokenizer"]
    assert (data["normalizer"] or {}).get("type") == ("NFC" if pattern == "qwen2" else None)
    if pattern == "gpt2":
        assert splitting["type"] == "ByteLevel"
        assert splitting["use_regex"]
        return
    split, to_bytes = splitting["pretokenizers"]
    assert split["pattern"] == {"Regex": KNOWN[pattern]}
    assert (split["behavior"], split["invert"]) == ("Isolated", False)
    assert (to_bytes["type"], to_bytes["use_regex"]) == ("ByteLevel", False)
    assert not to_bytes["add_prefix_space"]
