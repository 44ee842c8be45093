"""`gptdesk evaluate`: figures of a model on given files."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gptdesk
from gptdesk import atomic
from gptdesk.cli.commands.task import sampling_values
from gptdesk.cli.label_options import add_label_arguments, labelling_from, name_and_value
from gptdesk.cli.model_argument import add_model_argument
from gptdesk.cli.terminal import ProgressLine, cancel_on_interrupt, load_model
from gptdesk.errors import DocumentError
from gptdesk.generation.events import Progress

if TYPE_CHECKING:
    from gptdesk.evaluation.evaluate import EvaluationSettings, FileReport

_EXIT_INTERRUPTED = 130
_WHOLE_NUMBERS = ("tokens", "bytes")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that no other command has."""
    add_model_argument(parser)
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help=".txt and .md for perplexity; .jsonl of document and summary, of src, tgt, src_lang "
        "and tgt_lang, of text and rewritten, or of text and label; each also packed as .xz, .gz "
        "or .zst",
    )
    parser.add_argument("--limit", type=int, default=0, help="items of a file, from its start")
    parser.add_argument("--sample", type=int, default=0, help="items of a file, drawn at random")
    parser.add_argument("--draw-seed", type=int, default=0, help="seed of --sample (default: 0)")
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only lines of .jsonl that say so",
    )
    parser.add_argument(
        "--reverse", action="store_true", help="translate from the target back to the source"
    )
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="option of the task"
    )
    add_label_arguments(parser)
    parser.add_argument("--out", metavar="FILE", help="write every answer there, as JSON Lines")
    parser.add_argument("--json", action="store_true", help="one JSON object with all figures")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def run(options: argparse.Namespace) -> int:
    """Measure, print a table or JSON."""
    from gptdesk.evaluation.evaluate import evaluate, facts

    settings = _settings(options)
    line = ProgressLine(quiet=options.quiet or options.json)
    model = load_model(options, options.path, line)
    reports: list[FileReport] = []
    with contextlib.closing(model), cancel_on_interrupt() as cancel:
        for event in evaluate(model, [Path(name) for name in options.files], settings, cancel):
            if isinstance(event, Progress):
                line.show(event)
                continue
            line.clear()
            reports.append(event)
            if not options.json:
                _print(event)
        about = {"gptdesk": gptdesk.__version__, **facts(model, settings)}
    line.clear()
    if options.out:
        _write_answers(Path(options.out), reports)
    if options.json:
        files = [_as_json(report) for report in reports]
        print(json.dumps({**about, "files": files}, ensure_ascii=False, indent=1))
    else:
        print(" · ".join(f"{name} {value}" for name, value in about.items() if value))
    if cancel.is_set():
        print("gptdesk: stopped; the figures are of what was done", file=sys.stderr)
        return _EXIT_INTERRUPTED
    return 0


def _settings(options: argparse.Namespace) -> EvaluationSettings:
    from gptdesk.evaluation.evaluate import EvaluationSettings
    from gptdesk.evaluation.items import Selection

    values: dict[str, Any] = dict(name_and_value(item, "--option") for item in options.option)
    selection = Selection(
        where=dict(name_and_value(item, "--where") for item in options.where),
        limit=options.limit,
        sample=options.sample,
        seed=options.draw_seed,
        reverse=options.reverse,
    )
    return EvaluationSettings(
        selection=selection,
        options={name: int(v) if v.isdecimal() else v for name, v in values.items()},
        sampling=sampling_values(options),
        labelling=labelling_from(options),
    )


def _print(report: FileReport) -> None:
    part = "" if report.complete else ", stopped"
    print(f"{report.file}: {report.kind}, {report.items:,} of {report.total:,}{part}")
    for name, value in report.measures.items():
        number = f"{value:,.0f}" if name in _WHOLE_NUMBERS else f"{value:,.3f}"
        print(f"  {name:<24} {number:>12}")
    for signature in report.signatures:
        print(f"  {signature}")


def _as_json(report: FileReport) -> dict[str, Any]:
    data = dataclasses.asdict(report)
    del data["rows"]
    return data


def _write_answers(path: Path, reports: list[FileReport]) -> None:
    lines = [
        json.dumps({"file": report.file, **row}, ensure_ascii=False)
        for report in reports
        for row in report.rows
    ]
    try:
        atomic.write_bytes(path, "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise DocumentError(
            f"The answers cannot be written to {path}.", "Choose another place.", str(error)
        ) from error
