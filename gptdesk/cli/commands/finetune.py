"""`gptdesk finetune`: teach a model the person's own style, or a task by examples."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from gptdesk import paths
from gptdesk.cli.label_options import add_label_arguments, labelling_from
from gptdesk.cli.model_argument import add_model_argument
from gptdesk.cli.training_line import TrainingLine, held_out_text, told
from gptdesk.model.lora_settings import ALL_LINEAR, LoraSettings
from gptdesk.training.allocation import use_large_pages
from gptdesk.training.events import (
    Evaluated,
    FinetuneReport,
    TrainingFinished,
)
from gptdesk.training.finetune_settings import DEFAULT_LORA, FinetuneSettings
from gptdesk.training.stop_signals import cancelled_by_signals

_EXIT_INTERRUPTED = 130
_EXIT_DIVERGED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_model_argument(parser)
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="+",
        help="folders and files: .txt and .md to learn a style from; .jsonl of document and "
        "summary, of src, tgt, src_lang and tgt_lang, of text and rewritten, or of messages, to learn "
        "answers from, or of text and label, to learn classes from",
    )
    parser.add_argument("--out", metavar="FOLDER", required=True, help="where the result goes")
    _add_method(parser)
    _add_length(parser)
    add_label_arguments(parser)
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1 (default: auto)")
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16", "autocast"), default="auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="events as lines of JSON on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _add_method(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("method")
    group.add_argument(
        "--method",
        choices=("lora", "full"),
        default="lora",
        help="a small adapter beside the model (default), or a model of its own",
    )
    lora = DEFAULT_LORA
    group.add_argument("--rank", type=int, default=lora.rank, help=f"(default: {lora.rank})")
    group.add_argument("--alpha", type=float, help="(default: twice the rank)")
    group.add_argument(
        "--dropout", type=float, default=lora.dropout, help=f"(default: {lora.dropout})"
    )
    group.add_argument(
        "--target-modules",
        nargs="+",
        default=[ALL_LINEAR],
        metavar="NAME",
        help=f"layers that are adapted, such as q_proj v_proj (default: {ALL_LINEAR})",
    )


def _add_length(parser: argparse.ArgumentParser) -> None:
    usual = {name: FinetuneSettings.__dataclass_fields__[name].default for name in _LENGTHS}
    group = parser.add_argument_group("training")
    group.add_argument("--epochs", type=float, default=usual["epochs"], help="(default: 3)")
    group.add_argument("--max-minutes", type=float, help="end by then, whatever the epochs")
    group.add_argument("--learning-rate", type=float, help="(default: suits the model's size)")
    group.add_argument("--context", type=int, help="tokens of a row (default: at most 512)")
    group.add_argument(
        "--batch-tokens", type=int, default=usual["batch_tokens"], help="(default: 4096)"
    )
    group.add_argument("--seed", type=int, default=usual["seed"], help="(default: 1)")
    group.add_argument(
        "--validation",
        nargs="+",
        default=[],
        metavar="FILE",
        help="hold these out (default: a share)",
    )
    group.add_argument(
        "--validation-fraction",
        type=float,
        default=usual["validation_fraction"],
        help="share that is held out (default: 0.1)",
    )
    group.add_argument("--text-key", default="text", help="key of prose in .jsonl (default: text)")


_LENGTHS = ("epochs", "batch_tokens", "seed", "validation_fraction")


def run(options: argparse.Namespace) -> int:
    """Fine-tune, and print what it brought."""
    from gptdesk.evaluation.finetune_report import finetune_and_report

    use_large_pages()
    settings = settings_from(options)
    if settings.threads:  # read by the tokenizers library when it first needs a thread
        os.environ.setdefault("RAYON_NUM_THREADS", str(settings.threads))
    line = TrainingLine(quiet=options.quiet or options.json)
    finished, report, saved = None, None, None
    with cancelled_by_signals() as cancel:
        for event in told(finetune_and_report(settings, cancel), line, as_json=options.json):
            if isinstance(event, Evaluated):
                # What is saved is the state that predicts the text held out best.
                saved = event if saved is None or event.loss < saved.loss else saved
            elif isinstance(event, FinetuneReport):
                report = event
            elif isinstance(event, TrainingFinished):
                finished = event
    if finished is None:
        return 0
    if not options.json:
        print(_outcome(finished, "" if saved is None else f", {held_out_text(saved)}"))
        if report is not None:
            print(report_text(report))
            print(_next_command(settings))
    return {"cancelled": _EXIT_INTERRUPTED, "diverged": _EXIT_DIVERGED}.get(finished.reason, 0)


def settings_from(options: argparse.Namespace) -> FinetuneSettings:
    """What the flags ask for.

    Raises:
        OptionError: a value is out of range.
    """
    names = options.target_modules
    targets = ALL_LINEAR if names == [ALL_LINEAR] else tuple(names)
    alpha = 2.0 * options.rank if options.alpha is None else options.alpha
    return FinetuneSettings(
        model=Path(options.path),
        data=tuple(options.data),
        out=Path(options.out),
        method=options.method,
        lora=LoraSettings(
            rank=options.rank, alpha=alpha, dropout=options.dropout, target_modules=targets
        ),
        validation=tuple(options.validation),
        validation_fraction=options.validation_fraction,
        epochs=options.epochs,
        learning_rate=options.learning_rate,
        max_minutes=options.max_minutes,
        context=options.context,
        batch_tokens=options.batch_tokens,
        precision=options.precision,
        device=options.device,
        threads=options.threads,
        seed=options.seed,
        text_key=options.text_key,
        labelling=labelling_from(options),
    )


def report_text(report: FinetuneReport) -> str:
    """The figures of a report in a few lines."""
    lines = []
    for name, before, after in (
        ("perplexity", report.perplexity_before, report.perplexity_after),
        ("bits per byte", report.bits_per_byte_before, report.bits_per_byte_after),
    ):
        if before is not None and after is not None:
            change = 100 * (after / before - 1)
            lines.append(f"  {name:<16} {before:8.3f} -> {after:8.3f}  ({change:+.1f}%)")
    if lines:
        lines.insert(0, f"On {report.held_out_tokens:,} tokens that it has not seen:")
    else:
        lines.append("Nothing was held out, so nobody can say what training brought.")
    alarm = report.alarm or "Samples copy nothing of length from the training text."
    return "\n".join([*lines, alarm, f"The whole report: {report.path}"])


def _outcome(event: TrainingFinished, held_out: str) -> str:
    if event.reason == "cancelled":
        return "Stopped. Run the same command again to go on."
    if event.reason == "diverged":
        return f"Training diverged at step {event.step:,}; the last good checkpoint: {event.path}"
    return f"{event.path}: {event.step:,} steps{held_out}"


def _next_command(settings: FinetuneSettings) -> str:
    flag = "--adapter" if settings.method == "lora" else "--model"
    base = ""
    if (
        settings.method == "lora"
        and settings.model.resolve() != paths.default_model_dir().resolve()
    ):
        base = f" --model {settings.model}"
    return f"Try it: gptdesk continue{base} {flag} {settings.out} TEXT-FILE"
