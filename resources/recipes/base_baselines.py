"""What the bundled model has to beat: every baseline of its card, from one command.

    python resources/recipes/base_baselines.py --data DATA --work WORK --gpt2 GPT2 --json out.json

WORK is the one that `base_model.py` trained in, GPT2 the folder of GPT-2's tokenizer. Answers are
measured by the code that measures the model's in `gptdesk evaluate`. `--only` names some of the
baselines; figures that stand in the file already are kept or replaced.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from baseline_ngram import ngram_figures, xz_figures
from baseline_sentiment import sentiment_figures
from baseline_summaries import summary_figures
from baseline_tokens import token_figures
from baseline_translation import alignment_figures, dictionary_figures

from gptdesk.training.config import TrainingConfig, load_config
from gptdesk.training.work_folder import WorkFolder, read_json, write_json

Figures = dict[str, dict[str, float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    options = _parser().parse_args(arguments)
    for name in options.only or BASELINES:
        started = time.monotonic()
        figures = BASELINES[name](options)
        seconds = round(time.monotonic() - started, 1)
        _print(name, figures, seconds)
        if options.json:
            known = read_json(options.json)
            write_json(options.json, known | {name: {"seconds": seconds, "figures": figures}})


def _ngram(options: argparse.Namespace) -> Figures:
    return ngram_figures(_config(options), options.data)


def _tokens(options: argparse.Namespace) -> Figures:
    tokenizer = WorkFolder(_config(options).run.work_folder).tokenizer
    return token_figures(options.data, tokenizer, options.gpt2)


def _config(options: argparse.Namespace) -> TrainingConfig:
    return load_config(options.config or options.work / "train.toml")


def _by_data(measure: Callable[[Path], Figures], options: argparse.Namespace) -> Figures:
    return measure(options.data)


BASELINES: Mapping[str, Callable[[argparse.Namespace], Figures]] = {
    "xz": partial(_by_data, xz_figures),
    "tokens": _tokens,
    "summaries": partial(_by_data, summary_figures),
    "dictionary": partial(_by_data, dictionary_figures),
    "alignment": partial(_by_data, alignment_figures),
    "sentiment": partial(_by_data, sentiment_figures),
    "ngram": _ngram,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--work", type=Path, default=Path(), help="folder of the training")
    parser.add_argument("--config", type=Path, help="its configuration (default: WORK/train.toml)")
    parser.add_argument("--gpt2", type=Path, help="folder of GPT-2's vocab.json and merges.txt")
    parser.add_argument("--only", nargs="+", choices=BASELINES, metavar="NAME", help="some of them")
    parser.add_argument("--json", type=Path, help="file of all figures")
    return parser


def _print(name: str, figures: Figures, seconds: float) -> None:
    print(f"{name}: {seconds:.0f} s", flush=True)
    for file, measures in figures.items():
        print(f"  {file}: {json.dumps({key: round(value, 4) for key, value in measures.items()})}")


if __name__ == "__main__":
    main()
