"""Rebuilds the bundled model from the corpora with one command.

    python resources/recipes/base_model.py --data DATA --work WORK --out OUT --budget cpu

DATA is the folder of corpora, WORK keeps everything in between, OUT is the folder of the model. What
is done is passed over and a training goes on from its last checkpoint, so the same command is given
again after any stop: on two cores in pieces of two hours, say, with `timeout 2h` before it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from base_corpus import Corpora, write_text
from base_tasks import write_tasks
from base_tokenizer import write_base_tokenizer

from gptdesk.cli.main import main as gptdesk

HERE = Path(__file__).resolve().parent
PREPARED = "prepared.json"
CONFIG = "train.toml"


def prepare(data: Path, work: Path, seed: int) -> None:
    """Write text, tokenizer and tasks into the work folder, unless they are there.

    The note that they are is written last; it says how much was kept and left out.
    """
    if (work / PREPARED).is_file():
        return
    corpora = Corpora(data)
    write_text(corpora, work / "text")
    left_out = asdict(corpora.dropped)
    write_base_tokenizer(work / "text", work / "tokenizer", seed)
    write_tasks(corpora, work / "text", work / "tasks", seed)
    (work / PREPARED).write_text(json.dumps(left_out, indent=2) + "\n", "utf-8")


def write_config(budget: str, work: Path, out: Path) -> Path:
    """The configuration of a budget, its places filled in."""
    text = (HERE / f"base-{budget}.toml").read_text("utf-8")
    path = work / CONFIG
    path.write_text(text.replace('"OUT"', json.dumps(str(out.resolve()))), "utf-8")
    return path


def main() -> int:
    """Prepare and train."""
    parser = argparse.ArgumentParser(description="Rebuild the bundled model.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--work", type=Path, required=True, help="folder for everything between")
    parser.add_argument("--out", type=Path, required=True, help="folder of the finished model")
    parser.add_argument("--budget", choices=("cpu", "gpu"), default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only-prepare", action="store_true", help="stop before the training")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    prepare(options.data, options.work, options.seed)
    config = write_config(options.budget, options.work, options.out)
    return 0 if options.only_prepare else gptdesk(["train", str(config)])


if __name__ == "__main__":
    sys.exit(main())
