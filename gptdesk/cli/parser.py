"""The argument parser; flags of tasks and of sampling are made from their declarations."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

import gptdesk
from gptdesk.cli.commands import (
    bench,
    bench_train,
    doctor,
    evaluate,
    export,
    finetune,
    models,
    task,
    train,
    unbuilt,
)
from gptdesk.cli.model_argument import add_model_argument
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.options import option_fields
from gptdesk.tasks.registry import TASKS

Command = Callable[[argparse.Namespace], int]

UNBUILT = ("chat", "classify")
COMMANDS = (
    *TASKS,
    "models",
    "info",
    "export",
    "train",
    "finetune",
    "evaluate",
    "bench",
    "doctor",
    *UNBUILT,
)

_EPILOG = """\
With no command the window opens. Exit codes: 0 done, 1 error, 2 usage, 130 interrupted.
Examples:
  gptdesk summarize notes.txt
  gptdesk translate --target zh letter.txt > letter.zh.txt
  gptdesk rewrite letter.txt > letter.corrected.txt
  cat draft.md | gptdesk continue - --temperature 0.7 --seed 1
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command; `Namespace.command` is the function to call."""
    parser = argparse.ArgumentParser(
        prog="gptdesk",
        description="A writing assistant whose language model runs on your own machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"gptdesk {gptdesk.__version__}")
    parser.add_argument("--profile", metavar="DIR", help="keep settings and data in DIR")
    parser.add_argument("--debug", action="store_true", help="show technical details of errors")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for task_id in TASKS:
        _add_task(commands, task_id)
    _add_model_commands(commands)
    train.add_arguments(_add(commands, "train", train.run, "make a model from text"))
    parser_of_finetune = _add(commands, "finetune", finetune.run, "teach a model your own text")
    finetune.add_arguments(parser_of_finetune)
    parser_of_evaluate = _add(commands, "evaluate", evaluate.run, "measure a model on files")
    evaluate.add_arguments(parser_of_evaluate)
    _add_engine_flags(parser_of_evaluate)
    _add_sampling_flags(parser_of_evaluate)
    _add_measuring_commands(commands)
    for name in UNBUILT:
        command = commands.add_parser(name, help="not in this version", add_help=False)
        command.add_argument("rest", nargs=argparse.REMAINDER)
        command.set_defaults(command=unbuilt.run, name=name)
    return parser


def _add(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
    )
    # SUPPRESS: without it the command's default would overwrite what stood before the command.
    parser.add_argument(
        "--debug",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show technical details of errors",
    )
    parser.set_defaults(command=run)
    return parser


def _add_task(commands: Any, task_id: str) -> None:
    parser = _add(commands, task_id, task.run, TASKS[task_id].help)
    parser.set_defaults(task=task_id)
    parser.add_argument("text", metavar="TEXT-FILE", nargs="?", default="-", help="- for stdin")
    parser.add_argument("--model", metavar="PATH", help="model folder (default: the bundled one)")
    _add_engine_flags(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object with text and figures")
    parser.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")
    group = parser.add_argument_group(f"options of {task_id}")
    for field, info in option_fields(TASKS[task_id].options_type):
        group.add_argument(
            _flag(field.name),
            dest=f"option_{field.name}",
            type=type(field.default),
            choices=[key for key, _ in info.choices] or None,
            help=f"{info.help or info.label} (default: {field.default})",
        )
    _add_sampling_flags(parser)


def _add_engine_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=("auto", "torch", "onnx"), default="auto")
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:1, mps (default: auto)")
    parser.add_argument("--dtype", choices=("auto", "fp32", "bf16", "fp16"), default="auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    _add_adapter_flag(parser)


def _add_adapter_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--adapter", metavar="FOLDER", help="LoRA adapter to put on the model")


def _add_sampling_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sampling", "defaults come from the task and the model")
    for field in dataclasses.fields(Sampling):
        if field.name == "stop":
            group.add_argument("--stop", dest="sampling_stop", action="append", metavar="TEXT")
        elif field.name == "banned":
            group.add_argument(
                "--banned", dest="sampling_banned", type=int, nargs="+", metavar="ID"
            )
        elif field.name == "logit_bias":
            group.add_argument(
                "--logit-bias", dest="sampling_logit_bias", nargs="+", metavar="ID=VALUE"
            )
        else:
            kind = int if field.default is None else type(field.default)
            group.add_argument(
                _flag(field.name), dest=f"sampling_{field.name}", type=kind, metavar=kind.__name__
            )


def _add_model_commands(commands: Any) -> None:
    parser = _add(commands, "models", models.list_all, "list the models found on this machine")
    parser.add_argument("--folder", action="append", default=[], help="look here too")
    parser.add_argument("--json", action="store_true")

    parser = _add(
        commands, "info", models.info, "show what a model or adapter is, without loading it"
    )
    add_model_argument(parser, "PATH", "model or adapter")
    parser.add_argument("--json", action="store_true")

    parser = _add(commands, "export", export.run, "export a model to ONNX")
    add_model_argument(parser, "PATH")
    parser.add_argument("out", metavar="OUT", help="folder to create")
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8", "int4"),
        default="fp32",
        help="(default: fp32; the others are not built yet)",
    )
    parser.add_argument("--variant", choices=("fast", "portable"), default=None)
    _add_adapter_flag(parser)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")


def _add_measuring_commands(commands: Any) -> None:
    parser = _add(commands, "bench", bench.run, "measure a model's speed on this machine")
    parser.add_argument("path", metavar="PATH", nargs="?", help="(default: the bundled model)")
    _add_engine_flags(parser)
    parser.add_argument("--prompt-tokens", type=int, default=256)
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--runs", type=int, default=5, help="medians are shown (default: 5)")
    bench_train.add_arguments(parser)
    parser.add_argument("--json", action="store_true")

    parser = _add(commands, "doctor", doctor.run, "check this installation")
    parser.add_argument("--json", action="store_true")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
