"""`gptdesk bench --train`: the speed of training on this machine, change by change."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING

from gptdesk.errors import OptionError

if TYPE_CHECKING:
    from gptdesk.evaluation.train_bench import WayReport

_HEAD = f"{'shape':6} {'way':31} {'ratio':>6} {'cpu':>6} {'plain':>7} {'tok/s':>7} {'first s':>8} {'MB':>6}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags that measure training."""
    parser.add_argument("--train", action="store_true", help="measure training instead")
    parser.add_argument(
        "--shape", metavar="TEXT", help="13.8M or 33M (with --train; default: both)"
    )
    parser.add_argument(
        "--way", metavar="TEXT", help="only ways whose name has this in it (with --train)"
    )


def run(options: argparse.Namespace) -> int:
    """Print one line for each way as it is measured."""
    from gptdesk.evaluation.train_bench import SHAPES, WAYS, measure_training

    if options.runs < 1:
        raise OptionError("--runs must be at least 1.")
    if options.shape not in (None, *SHAPES):
        raise OptionError(
            f"There is no shape {options.shape!r}.", f"There are: {', '.join(SHAPES)}."
        )
    ways = {name: way for name, way in WAYS.items() if (options.way or "") in name}
    if not ways:
        raise OptionError(
            f"No way has {options.way!r} in its name.", f"There are: {', '.join(WAYS)}."
        )
    device = "cpu" if options.device == "auto" else options.device
    shapes = (options.shape,) if options.shape else SHAPES
    if not options.json:
        print(_HEAD)
    measure_training(
        shapes,
        ways,
        turns=options.runs,
        threads=options.threads,
        device=device,
        report=_print_json if options.json else _print_line,
    )
    return 0


def _print_json(result: WayReport) -> None:
    print(json.dumps(dataclasses.asdict(result)), flush=True)


def _print_line(result: WayReport) -> None:
    start = f"{result.shape:6} {result.way:31}"
    if result.problem:
        print(f"{start} failed: {result.problem.splitlines()[-1]}", flush=True)
        return
    share = f"  {result.flops_share:.0%} of the device" if result.flops_share else ""
    print(
        f"{start} {result.ratio:6.2f} {result.cpu_ratio:6.2f} {result.plain_tokens_per_second:7.0f} "
        f"{result.tokens_per_second:7.0f} {result.first_step_seconds:8.1f} "
        f"{result.peak_megabytes:6.0f}{share}",
        flush=True,
    )
