"""The recipe of the bundled micro-model, run whole on a few kilobytes made on the spot."""

from __future__ import annotations

import dataclasses
import importlib
import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from gptdesk.model.config import ModelConfig
from gptdesk.paths import resources_dir

CONTEXT = 128
SHAPE = ModelConfig(
    architecture="llama",
    vocab_size=400,
    context_length=CONTEXT,
    num_layers=2,
    hidden_size=32,
    num_heads=4,
    num_kv_heads=2,
    head_dim=8,
    intermediate_size=48,
    tied_embeddings=True,
)
ENGLISH = ["the", "old", "ship", "sailed", "over", "a", "calm", "sea", "while", "rain", "fell"]
CHINESE = "船在海上航行风雨落旗红色平静的水面老人看见了远方"


@pytest.fixture
def corpus(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(resources_dir() / "recipes")
    return importlib.import_module("micro_corpus")


@pytest.fixture
def recipe(corpus: ModuleType) -> ModuleType:
    return importlib.import_module("train_micro_model")


@pytest.fixture
def data(corpus: ModuleType, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    rng = random.Random(5)
    for split in ("train", "dev"):
        for prose in corpus.PROSE:
            _write(folder / f"{prose.name}.{split}.txt.xz", _documents(prose.language, rng))
        for summaries in corpus.SUMMARIES:
            rows = [
                {"document": _text(summaries.language, 20, rng), "summary": "Sea. 海。"}
                for _ in range(12)
            ]
            _write(folder / f"{summaries.name}.{split}.jsonl.xz", map(json.dumps, rows))
        pairs = [
            {"src": _text("en", 10, rng), "tgt": _text("zh", 6, rng), "source": source}
            for source in ["tatoeba"] * 30 + ["phpmyadmin-docs"] * 3
        ]
        _write(folder / f"{corpus.TRANSLATIONS}.{split}.jsonl.xz", map(json.dumps, pairs))
    return folder


def _text(language: str, words: int, rng: random.Random) -> str:
    if language == "en":
        return " ".join(rng.choices(ENGLISH, k=words)) + "."
    return "".join(rng.choices(CHINESE, k=words)) + "。"


def _documents(language: str, rng: random.Random) -> Iterator[str]:
    for _ in range(6):
        yield "The sea" if language == "en" else "海"
        yield from (_text(language, 20, rng) for _ in range(3))
        yield "<|endoftext|>"


def _write(path: Path, lines: Iterator[str] | map[str]) -> None:
    with lzma.open(path, "wt", encoding="utf-8") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def _training(recipe: ModuleType, data: Path, work: Path) -> Any:
    work.mkdir(exist_ok=True)
    torch.manual_seed(0)
    recipe.prepare(data, work, SHAPE, 1)
    batches = recipe.Batches(recipe.load_groups(work, 1), 1)
    small = dataclasses.replace(recipe.Recipe(), batch_rows=4)
    return recipe.Training(SHAPE, small, batches, compiled=False)


def test_the_recipe_writes_a_folder_that_transformers_loads(
    recipe: ModuleType, data: Path, tmp_path: Path
) -> None:
    transformers = importlib.import_module("transformers")
    training = _training(recipe, data, tmp_path / "work")
    tokenizer = recipe.prepare(data, tmp_path / "work", SHAPE, 1)
    dev_sets = recipe.build_dev_sets(data, tokenizer, CONTEXT, rows=2)
    recipe.run(training, dev_sets, tmp_path / "work", minutes=0.001, every=60.0)
    recipe.write_release(training.model, tokenizer, tmp_path / "out")

    records = (tmp_path / "work" / "metrics.jsonl").read_text("utf-8").splitlines()
    scores = json.loads(records[-1])["bits_per_byte"]
    assert set(scores) >= {"prose_en_books", "prose_zh_wiki", "answers_translate"}
    assert all(0 < score < 20 for score in scores.values())

    theirs = transformers.AutoModelForCausalLM.from_pretrained(
        tmp_path / "out", dtype=torch.float32
    ).eval()
    ours = training.model.eval()
    ours.load_state_dict(
        {name: weight.bfloat16().float() for name, weight in ours.state_dict().items()}
    )
    text = "the sea 海上 12"
    ids = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")(text)["input_ids"]
    tokenizer.encode_special_tokens = True
    assert ids == tokenizer.encode(text).ids
    with torch.no_grad():
        expected, got = theirs(torch.tensor([ids])).logits, ours(torch.tensor([ids]))
    assert float((expected - got).abs().max() / expected.abs().max()) <= 2e-4


def test_the_report_has_figures_and_samples_of_every_task(
    recipe: ModuleType, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = _training(recipe, data, tmp_path / "work")
    tokenizer = recipe.prepare(data, tmp_path / "work", SHAPE, 1)
    recipe.write_release(training.model, tokenizer, tmp_path / "out")
    report = importlib.import_module("micro_report")
    places = ["--data", str(data), "--model", str(tmp_path / "out")]
    report.main([*places, "--rows", "1", "--samples", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("| prose_") for line in lines) == 6
    assert sum(line.startswith(("| no penalties", "| gptdesk.json")) for line in lines) == 2
    assert sum(line.startswith("* ") for line in lines) == 6


def test_a_restart_goes_on_exactly_where_the_checkpoint_was(
    recipe: ModuleType, data: Path, tmp_path: Path
) -> None:
    first = _training(recipe, data, tmp_path / "work")
    for _ in range(2):
        first.advance(0.3)
    first.save(tmp_path / "checkpoint.pt")
    second = _training(recipe, data, tmp_path / "work")
    second.restore(tmp_path / "checkpoint.pt")
    assert first.advance(0.7) == second.advance(0.7)
    assert second.step == 3


def test_training_lowers_the_loss(recipe: ModuleType, data: Path, tmp_path: Path) -> None:
    training = _training(recipe, data, tmp_path / "work")
    losses = [training.advance(0.3) for _ in range(25)]
    assert np.mean(losses[-3:]) < 0.85 * np.mean(losses[:3])


def test_every_token_predicts_the_next_and_prompts_weigh_what_they_should(
    recipe: ModuleType, data: Path, tmp_path: Path
) -> None:
    batches = _training(recipe, data, tmp_path / "work").batches
    ids, targets, weights = batches.batch(0, 8, {"translate": 1.0}, 0.25)
    assert torch.equal(ids[:, 1:], targets[:, :-1])
    assert set(weights.unique().tolist()) == {0.0, 0.25, 1.0}


def test_the_rate_rises_stays_and_falls_to_zero(recipe: ModuleType) -> None:
    rate = recipe.Recipe(warmup=0.1, decay_from=0.6).rate
    assert 0 < rate(0.0) < rate(0.05) < rate(0.1) == rate(0.5) == 1.0
    assert rate(0.6) > rate(0.8) > rate(1.0) == 0.0


def test_rows_of_excluded_sources_never_reach_an_example(corpus: ModuleType, data: Path) -> None:
    rows = list(corpus.read_pairs(data / f"{corpus.TRANSLATIONS}.train.jsonl.xz"))
    assert len(rows) == 30


def test_markup_in_a_text_stays_text(
    recipe: ModuleType, corpus: ModuleType, data: Path, tmp_path: Path
) -> None:
    tokenizer = corpus.train_tokenizer(data, SHAPE.vocab_size, 1)
    encoder = corpus.Encoder(tokenizer, CONTEXT)
    rows = [(["<|translate|>", "<|en|>", "<|zh|>"], "a <|answer|> b", "海")]
    (example,) = encoder.tasks(rows)
    answer = tokenizer.token_to_id("<|answer|>")
    assert example.ids.count(answer) == 1
    scored = [id_ for id_, kind in zip(example.ids, example.kinds, strict=True) if kind == 2]
    assert tokenizer.decode(scored) == "海"
    assert scored[-1] == tokenizer.token_to_id("<|endoftext|>")


def test_packing_keeps_every_example_whole(corpus: ModuleType) -> None:
    rng = random.Random(3)
    sizes = [rng.randint(1, 30) for _ in range(200)]
    examples = [corpus.Example([7 + i] * size, [2] * size) for i, size in enumerate(sizes)]
    tokens, kinds = corpus.pack(examples, 32)
    assert tokens.shape == kinds.shape
    assert int((kinds == 2).sum()) == sum(sizes)
    for number, size in enumerate(sizes):
        rows = np.nonzero((tokens == 7 + number).any(axis=1))[0]
        assert len(rows) == 1
        assert int((tokens == 7 + number).sum()) == size
