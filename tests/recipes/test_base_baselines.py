"""The baselines of the bundled model's card, on corpora and a training of a few kilobytes."""

from __future__ import annotations

import importlib
import itertools
import json
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from gptdesk.evaluation.ngram import NgramModel
from gptdesk.paths import resources_dir
from gptdesk.text.tokenizer import Tokenizer as OurTokenizer
from gptdesk.training.batches import IGNORED
from gptdesk.training.config import load_config
from gptdesk.training.example_rows import read_rows_index
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
    arguments = ["--data", folder / "data", "--work", folder, "--gpt2", folder / "gpt2"]
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
    """So many steps read every row, some of them twice: what follows what is known, and once."""
    config, work = load_config(folder / "train.toml"), WorkFolder(folder / "run")
    baseline = recipe("baseline_ngram")
    assert baseline.last_step(work, "pretrain") == STEPS
    seen = baseline.seen_text(config)
    (shards, _), *_ = open_shards(config, work)[0]
    followed = {pair for text in documents_of(shards) for pair in itertools.pairwise(text.tolist())}
    borders = np.flatnonzero(seen.starts)
    pieces = [piece.tolist() for piece in np.split(seen.ids, borders[1:])]
    learnt = {pair for piece in pieces for pair in itertools.pairwise(piece)}
    assert followed <= learnt
    rows = sum(-(-(len(array) - 1) // 32) for array in shards.arrays)
    examples = read_rows_index(work.example_rows("train"))
    assert examples is not None
    assert seen.rows == rows + examples.rows
    assert all(shards.index.end_id not in piece[1:-1] for piece in pieces)


def test_texts_of_a_row_stand_apart() -> None:
    """The end 0 of the first text is learnt, and begins the second; a row ends in mid-text."""
    inputs, segments = np.array([0, 5, 6, 0, 7]), np.array([0, 0, 0, 1, 1])
    ids, starts = recipe("baseline_ngram").laid_out(inputs, np.array([5, 6, 0, 7, 8]), segments, 0)
    assert ids.tolist() == [0, 5, 6, 0, 0, 7, 8]
    assert np.flatnonzero(starts).tolist() == [0, 4]


def test_questions_with_answers_keep_their_own_ends_and_lose_the_padding() -> None:
    inputs, segments = np.array([0, 5, 6, 0, 0, 7, 0, 0, 0]), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    targets = np.array([IGNORED, 6, 0, IGNORED, IGNORED, 0, IGNORED, IGNORED, IGNORED])
    ids, starts = recipe("baseline_ngram").laid_out(inputs, targets, segments, 0)
    assert ids.tolist() == [0, 5, 6, 0, 0, 7, 0, 0]
    assert np.flatnonzero(starts).tolist() == [0, 4, 7]


def test_the_5_gram_counts_the_bytes_that_a_model_counts(folder: Path) -> None:
    tokenizer = OurTokenizer.from_folder(WorkFolder(folder / "run").tokenizer)
    ids = np.array([0, *tokenizer.encode_plain("the old keeper 灯塔"), 0])
    counted = NgramModel(ids, tokenizer.vocab_size, 5)
    likelihood = recipe("baseline_ngram").likelihood
    known = likelihood(counted, tokenizer, "the old keeper 灯塔")
    assert (known.tokens, known.utf8_bytes) == (len(ids) - 2, len("the old keeper 灯塔".encode()))
    assert known.bits_per_byte < likelihood(counted, tokenizer, "灯 keeper").bits_per_byte


def test_the_dictionary_takes_the_longest_words() -> None:
    words = recipe("baseline_dictionary").Dictionary(
        [
            {"zh": "灯", "en": ["lamp"]},
            {"zh": "灯塔", "en": ["lighthouse", "CL:座[zuo4]"]},
            {"zh": "看", "en": ["to look (at)"]},
            {"zh": "瞧", "en": ["(coll.) to look at", "to see"]},
            {"zh": "老人", "en": ["old man"]},
            {"zh": "王", "en": ["surname Wang", "king"]},
        ]
    )
    assert words.translate("王看GPT灯塔。", "zh") == "King look GPT lighthouse."
    assert words.translate("The old man looks, a lamp.", "en") == "老人看，灯。"
    assert words.translate("An unknown word 3.5", "en") == "unknown word 3.5"


def test_alignment_finds_the_word_that_always_stands_beside() -> None:
    table = recipe("baseline_alignment").WordTable
    pairs = [("the house", "das Haus"), ("the book", "das Buch"), ("a book", "ein Buch")]
    assert table(pairs).translate("The book, a house?") == "Das Buch, ein Haus?"


def test_text_rank_prefers_what_the_others_share() -> None:
    summaries = recipe("baseline_summaries")
    found = [
        "Gulls steal bread.",
        "The keeper wrote a letter at night.",
        "At night the keeper wrote to the harbour.",
        "The harbour answers the keeper at night.",
    ]
    rank = summaries.text_rank(found)
    assert rank.mean() == pytest.approx(1)
    assert int(np.argmin(rank)) == 0
    assert int(np.argmax(rank)) == 2
    assert summaries.central_sentences(" ".join(found), 40) == found[2]
    assert summaries.central_sentences(" ".join(found), 500) == " ".join(found)
    assert summaries.central_sentences("灯塔", 10) == "灯塔"
