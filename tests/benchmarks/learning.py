"""Shows that training teaches something: `python -m tests.benchmarks.learning TEXT... --test TEXT`.

The first megabytes of a text train the 5m preset for some minutes through `gptdesk train`. How many bits a byte of other
text then costs stands beside what `xz -9` makes of it, alone and with the training text as its dictionary, and beside
n-gram models that counted the very same tokens.
"""

from __future__ import annotations

import argparse
import contextlib
import lzma
import math
import tempfile
from pathlib import Path

import numpy as np

from gptdesk.evaluation.ngram import NgramModel
from gptdesk.evaluation.perplexity import Likelihood, measure_text
from gptdesk.session import Model, load_model
from gptdesk.training.config import load_config
from gptdesk.training.events import Evaluated, StepDone
from gptdesk.training.pipeline import train_pipeline
from gptdesk.training.sources import open_unpacked

ORDERS = (3, 5)


def main() -> None:
    """Train, measure, print."""
    parser = argparse.ArgumentParser(
        description="Train a small model and compare it with counting."
    )
    parser.add_argument("texts", nargs="+", type=Path, help="to train on, packed or not")
    parser.add_argument("--test", type=Path, required=True, help="to measure on")
    parser.add_argument("--megabytes", type=float, default=20, help="of each text, from its start")
    parser.add_argument("--test-megabytes", type=float, default=1)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--settings", default="", help="lines for the table [run], such as compile = true"
    )
    parser.add_argument("--optimizer", default="adamw")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        share = options.megabytes / len(options.texts)
        train = "".join(read(path, share) for path in options.texts)
        test = read(options.test, options.test_megabytes)
        (folder / "train.txt").write_text(train, "utf-8")
        (folder / "train.toml").write_text(config(options), "utf-8")
        tokens = run(folder / "train.toml")
        with contextlib.closing(load_model(folder / "model")) as model:
            report(model, train, test, tokens)


def read(path: Path, megabytes: float) -> str:
    """The beginning of a text."""
    with open_unpacked(path) as file:
        return file.read(int(megabytes * 1e6)).decode("utf-8", "ignore")


def config(options: argparse.Namespace) -> str:
    """What `gptdesk train` is told."""
    return f"""
[data]
train = ["train.txt"]
[model]
preset = "5m"
[optimizer]
name = "{options.optimizer}"
[schedule]
max_minutes = {options.minutes}
[run]
out = "model"
{options.settings}
"""


def run(path: Path) -> int:
    """Train; returns the tokens that were seen."""
    tokens = 0
    for event in train_pipeline(load_config(path)):
        if isinstance(event, StepDone):
            tokens = event.tokens
        if isinstance(event, Evaluated):
            print(
                f"step {event.step}: {event.bits_per_byte or math.nan:.3f} bits per byte held out"
            )
    return tokens


def report(model: Model, train: str, test: str, tokens: int) -> None:
    """One line for each way to predict the test text."""
    test_bytes = len(test.encode())
    *_, found = measure_text(model, test)
    assert isinstance(found, Likelihood)
    rows = {f"5m preset, {tokens / 1e6:.1f} M tokens seen": found.bits_per_byte}
    alone, taught = packed(test), packed(train + test) - packed(train)
    rows["xz -9"] = 8 * alone / test_bytes
    rows["xz -9 after the training text"] = 8 * taught / test_bytes
    ids = np.array(model.tokenizer.encode_plain(train), dtype=np.int64)
    wanted = np.array([ids[-1], *model.tokenizer.encode_plain(test)], dtype=np.int64)
    for order in ORDERS:
        counted = NgramModel(ids, model.info.vocab_size, order)
        nats = -counted.log_probabilities(wanted).sum()
        rows[f"{order}-gram over the same {len(ids) / 1e6:.1f} M tokens"] = (
            nats / math.log(2) / test_bytes
        )
    for name, bits in rows.items():
        print(f"{name:<42} {bits:.3f} bits per byte")


def packed(text: str) -> int:
    """Bytes that `xz -9` makes of a text."""
    return len(lzma.compress(text.encode(), preset=9))


if __name__ == "__main__":
    main()
