"""`gptdesk bench`: a model's speed on this machine."""

from __future__ import annotations

import argparse
import dataclasses
import json

from gptdesk.cli.terminal import ProgressLine, load_model
from gptdesk.errors import OptionError


def run(options: argparse.Namespace) -> int:
    """Measure and print medians."""
    if options.train:
        from gptdesk.cli.commands import bench_train

        return bench_train.run(options)
    from gptdesk.evaluation.bench import measure

    for name in ("prompt_tokens", "new_tokens", "runs"):
        if getattr(options, name) < 1:
            raise OptionError(f"--{name.replace('_', '-')} must be at least 1.")
    line = ProgressLine(quiet=options.json)
    report = measure(
        lambda: load_model(options, options.path, line),
        prompt_tokens=options.prompt_tokens,
        new_tokens=options.new_tokens,
        runs=options.runs,
    )
    if options.json:
        print(json.dumps(dataclasses.asdict(report)))
        return 0
    print(f"{report.model}: {report.engine} · {report.device} · {report.precision}")
    print(f"  load          {report.load_seconds:8.2f} s")
    print(
        f"  first token   {report.first_token_seconds:8.3f} s after {report.prompt_tokens} tokens"
    )
    print(f"  prefill       {report.prefill_tokens_per_second:8.0f} tokens/s")
    print(f"  decode        {report.decode_tokens_per_second:8.1f} tokens/s")
    print(f"  weights read  {report.decode_gigabytes_per_second:8.2f} GB/s while decoding")
    print(f"  memory        {report.rss_megabytes:8.0f} MB resident")
    return 0
