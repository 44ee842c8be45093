"""The baselines of the bundled model's card, on corpora and a training of a few kilobytes."""

from __future__ import annotations

import importlib
import json
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from gptdesk.paths import resources_dir
from gptdesk.training.config import load_config
from gptdesk.training.pipeline import train_pipeline
from gptdesk.training.sharding import open_shards
from gptdesk.training.shards import documents_of
from gptdesk.training.work_folder import WorkFolder
from tests.recipes.corpora import END, sentence, write_corpora

STEPS = 40
CONFIG = f"""
[data]
train = ["texts"]
validation_fraction = 0.1
[tokenizer]
vocab_size = 600
[model]
hidden_size = 16
num_layers = 1
head_dim = 4
context_length = 64
[schedule]
max_steps = {STEPS}
[run]
out = "model"
work = "run"
batch_tokens = 256
row_tokens = 32
precision = "fp32"
threads = 1
eval_rows = 1
[instruct]
files = ["pairs.jsonl"]
epochs = 1
"""


def recipe(name: str) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(resources_dir() / "recipes")
        return importlib.import_module(name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Corpora in data/, a finished training in run/, a tokenizer without merges in gpt2/."""
    folder = tmp_path_factory.mktemp("baselines")
    write_corpora(folder / "data")
    (folder / "texts").mkdir()
    for number, language in enumerate(("en", "zh")):
        documents = [sentence(language, 1000 * number + at, 30) for at in range(30)]
        path = folder / "texts" / f"{language}.txt"
        path.write_text(f"\n{END}\n".join(documents), "utf-8")
    pair = {"src": "the ship", "tgt": "船", "src_lang": "en", "tgt_lang": "zh"}
    (folder / "pairs.jsonl").write_text(f"{json.dumps(pair)}\n" * 4, "utf-8")
    (folder / "train.toml").write_text(CONFIG, "utf-8")
    for _ in train_pipeline(load_config(folder / "train.toml")):
        pass
    bytes_alone = Tokenizer(
        models.BPE({char: at for at, char in enumerate(pre_tokenizers.ByteLevel.alphabet())}, [])
    )
    bytes_alone.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytes_alone.decoder = decoders.ByteLevel()
    (folder / "gpt2").mkdir()
    bytes_alone.save(str(folder / "gpt2" / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def figures(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    out = folder / "out.json"
    arguments = ["--data", folder / "data", "--work", folder / "run", "--gpt2", folder / "gpt2"]
    main = recipe("base_baselines").main
    main([*map(str, arguments), "--json", str(out), "--only", "xz"])
    others = [name for name in recipe("base_baselines").BASELINES if name != "xz"]
    main([*map(str, arguments), "--json", str(out), "--only", *others])
    return {name: entry["figures"] for name, entry in json.loads(out.read_text("utf-8")).items()}


def test_one_command_gives_every_figure(figures: dict[str, dict[str, dict[str, float]]]) -> None:
    assert set(figures) == set(recipe("base_baselines").BASELINES)
    prose = {f"{name}.test" for name in recipe("base_corpus").PROSE}
    assert set(figures["xz"]) == prose
    assert set(figures["ngram"]) == {*prose, "training text"}
    assert set(figures["dictionary"]) == {"mt_en-zh.test", "newstest2017.en-zh"}
    assert {"bleu fr-en", "chrf en-fr"} <= set(figures["alignment"]["newstest2014.en-fr"])
    assert {"rougeL of TextRank", "rougeL of the lead"} <= set(
        figures["summaries"]["sum_zh_web.test"]
    )
    assert "mt_en-fr.test fr" in figures["tokens"]
    values = [v for files in figures.values() for file in files.values() for v in file.values()]
    assert all(map(math.isfinite, values))


def test_what_is_easy_is_learnt(figures: dict[str, dict[str, dict[str, float]]]) -> None:
    """One word tells the sentiment; pairs are translated word by word; names stay Chinese."""
    for measures in figures["sentiment"].values():
        assert measures["accuracy"] == 100
    for code in ("de", "fr"):
        assert figures["alignment"][f"mt_en-{code}.test"][f"bleu en-{code}"] > 80
    chinese = figures["tokens"]["mt_en-zh.test zh"]
    assert chinese["tokens per character, gpt2"] == pytest.approx(3, abs=0.3)
    assert chinese["tokens per character, gptdesk"] < 2


def test_the_5_gram_read_what_the_model_read(folder: Path) -> None:
    """So many steps read every row of the text: each document is there, whole, and once."""
    config, work = load_config(folder / "train.toml"), WorkFolder(folder / "run")
    baseline = recipe("baseline_ngram")
    assert baseline.last_step(work, "pretrain") == STEPS
    assert baseline.last_step(work, "instruct") > 0
    seen = baseline.seen_text(config, work)
    ids = "".join(map(chr, seen.ids))
    (shards, _), *_ = open_shards(config, work)[0]
    for document in documents_of(shards):
        for start in range(0, len(document) - 33, 32):  # any 17 in a row are within some row
            half = "".join(map(chr, document[start : start + 8]))
            assert ids.count(half) >= 1 or _crosses(seen, document[start : start + 8])


def _crosses(seen: object, piece: np.ndarray) -> bool:
    """Whether a border between rows cuts a piece: its halves stand apart then."""
    ids = "".join(map(chr, seen.ids))  # type: ignore[attr-defined]
    text = "".join(map(chr, piece))
    return any(text[:at] in ids and text[at - 1 :] in ids for at in range(1, len(text)))
