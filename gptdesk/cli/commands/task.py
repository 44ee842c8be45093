"""`gptdesk continue | summarize | translate | rewrite`: one task over one text."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.cli.terminal import ProgressLine, cancel_on_interrupt, load_model
from gptdesk.errors import Cancelled, OptionError
from gptdesk.generation.events import Finished, Progress

if TYPE_CHECKING:
    from gptdesk.session import Model


_STDIN = "standard input"


def run(options: argparse.Namespace) -> int:
    """Read the text, run the task, write the result as it comes."""
    text = _read(options.text)
    task_options, sampling = given(options, "option_"), sampling_values(options)
    line = ProgressLine(quiet=options.quiet)
    model = load_model(options, options.model, line)
    with contextlib.closing(model), cancel_on_interrupt() as cancel:
        if not options.quiet:
            _tell_caveats(model, options.task, text, task_options)
        finished = _stream(model, options, text, task_options, sampling, line, cancel)
    if finished.reason == "cancelled":
        raise Cancelled
    return 0


def _stream(
    model: Model,
    options: argparse.Namespace,
    text: str,
    task_options: dict[str, Any],
    sampling: dict[str, Any],
    line: ProgressLine,
    cancel: ThreadCancelFlag,
) -> Finished:
    pieces: list[str] = []
    finished = Finished()
    for event in model.run(options.task, text, task_options, sampling, cancel):
        if isinstance(event, Progress):
            line.show(event)
        elif event.text:
            pieces.append(event.text)
            if not options.json:
                line.clear()
                sys.stdout.write(event.text)
                sys.stdout.flush()
        elif isinstance(event, Finished):
            finished = event
    line.clear()
    result = "".join(pieces)
    if options.json:
        print(json.dumps(_as_json(result, finished), ensure_ascii=False, default=str))
    elif not result.endswith("\n"):
        print()
    return finished


def _tell_caveats(model: Model, task: str, text: str, options: dict[str, Any]) -> None:
    """Say on stderr what to expect where the model is weak."""
    from gptdesk.tasks.caveats import caveats

    found = caveats(task, text, options, model.profile, model.tokenizer)
    for sentence in found:
        print(f"gptdesk: note: {sentence}", file=sys.stderr)
    if found:
        print("gptdesk: note: A larger model does better: see --model.", file=sys.stderr)


def _as_json(text: str, finished: Finished) -> dict[str, Any]:
    return {
        "text": text,
        "reason": finished.reason,
        "result": dict(finished.result),
        "stats": dataclasses.asdict(finished.stats),
    }


def _read(name: str) -> str:
    from gptdesk.text.document import document_from, read_document, read_limited

    if name != "-":
        return read_document(name)
    if sys.stdin is None:
        raise OptionError("There is no standard input to read.", "Give the name of a text file.")
    return document_from(read_limited(sys.stdin.buffer, _STDIN), _STDIN).text


def given(options: argparse.Namespace, prefix: str) -> dict[str, Any]:
    """The flags with this prefix that were used, without the prefix."""
    return {
        name.removeprefix(prefix): value
        for name, value in vars(options).items()
        if name.startswith(prefix) and value is not None
    }


def sampling_values(options: argparse.Namespace) -> dict[str, Any]:
    """The sampling flags that were used, as values of `Sampling` fields."""
    values = given(options, "sampling_")
    for name in ("stop", "banned"):
        if name in values:
            values[name] = tuple(values[name])
    if "logit_bias" in values:
        values["logit_bias"] = dict(_bias(item) for item in values["logit_bias"])
    return values


def _bias(item: str) -> tuple[int, float]:
    token, _, value = item.partition("=")
    try:
        return int(token), float(value)
    except ValueError:
        raise OptionError(f"--logit-bias takes ID=VALUE, such as 198=-2.5, not {item!r}.") from None
