"""`gptdesk train`: from raw text to a model, as a configuration file says."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from gptdesk import paths
from gptdesk.cli.training_line import TrainingLine, held_out_text, told
from gptdesk.errors import OptionError
from gptdesk.training.allocation import use_large_pages
from gptdesk.training.events import Evaluated, TrainingFinished
from gptdesk.training.stop_signals import cancelled_by_signals
from gptdesk.training.torchrun import process_number

_EXAMPLE = "train.toml"
_EXIT_INTERRUPTED = 130
_EXIT_DIVERGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("path", metavar="CONFIG.toml", nargs="?", help="what to train on, and how")
    parser.add_argument(
        "--example",
        action="store_true",
        help="print a configuration to start from; the argument is then a folder of texts",
    )
    parser.add_argument("--from", dest="first", metavar="STAGE", help="leave out what comes before")
    parser.add_argument("--to", dest="last", metavar="STAGE", help="leave out what comes after")
    parser.add_argument("--json", action="store_true", help="events as lines of JSON on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def run(options: argparse.Namespace) -> int:
    """Train, or print the example."""
    if options.example:
        print(example(options.path), end="")
        return 0
    if options.path is None:
        raise OptionError(
            "`gptdesk train` needs a configuration file.",
            "`gptdesk train --example FOLDER-OF-TEXTS > train.toml` writes one to start from.",
        )
    return _train(options)


def example(folder: str | None) -> str:
    """The commented configuration, for the texts in `folder`."""
    path = paths.resources_dir() / "recipes" / _EXAMPLE
    text = path.read_text("utf-8")
    return (
        text
        if folder is None
        else text.replace('"my-texts"', json.dumps(folder, ensure_ascii=False), 1)
    )


def _train(options: argparse.Namespace) -> int:
    from gptdesk.training.config import load_config
    from gptdesk.training.pipeline import STAGES, StageRange, train_pipeline

    use_large_pages()
    config = load_config(Path(options.path))
    if config.run.threads:  # read by the tokenizers library when it first needs a thread
        os.environ.setdefault("RAYON_NUM_THREADS", str(config.run.threads))
    stages = StageRange(options.first or STAGES[0], options.last or STAGES[-1])
    tells = process_number() == 0
    line = TrainingLine(quiet=options.quiet or options.json or not tells)
    finished, held_out = None, ""
    with cancelled_by_signals() as cancel:
        events = train_pipeline(config, cancel, stages)
        for event in told(events, line, as_json=options.json, tells=tells):
            if isinstance(event, Evaluated):
                held_out = f", {held_out_text(event)}"
            if isinstance(event, TrainingFinished):
                finished = event
    if finished is None:
        return 0
    if tells and not options.json:
        print(_outcome(finished, held_out))
    return {"cancelled": _EXIT_INTERRUPTED, "diverged": _EXIT_DIVERGED}.get(finished.reason, 0)


def _outcome(event: TrainingFinished, held_out: str) -> str:
    if event.reason == "cancelled":
        return "Stopped. Run the same command again to go on."
    if event.reason == "diverged":
        return f"Training diverged at step {event.step:,}; the last good checkpoint: {event.path}"
    steps = f"{event.step:,} steps{held_out}" if event.step else "done"
    return f"{event.path}: {steps}"
