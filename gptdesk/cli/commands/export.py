"""`gptdesk export`: a checkpoint as an ONNX folder."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from gptdesk.cli.terminal import ProgressLine, cancel_on_interrupt

_MEGA = 1_000_000


def run(options: argparse.Namespace) -> int:
    """Export, with progress on stderr and the report on stdout."""
    from gptdesk.export.onnx_export import export_onnx

    line = ProgressLine(quiet=options.quiet)
    chosen = {"variant": options.variant} if options.variant else {}
    with cancel_on_interrupt() as cancel:
        report = export_onnx(
            options.path,
            options.out,
            precision=options.precision,
            progress=line.show,
            cancel=cancel,
            adapter=options.adapter,
            **chosen,
        )
    line.clear()
    for warning in report.warnings:
        print(f"gptdesk: warning: {warning}", file=sys.stderr)
    if options.json:
        print(json.dumps(dataclasses.asdict(report), default=str, ensure_ascii=False))
        return 0
    print(f"{report.path}: {report.bytes / _MEGA:,.1f} MB, {report.seconds:.1f} s")
    same = "the same" if report.greedy_equal else "different"
    print(f"checked against torch: {same} text, largest difference {report.max_difference:.2g}")
    return 0
