"""Compares the engines on the shape of GPT-2 124M with random weights: `python -m tests.benchmarks.engines`.

Every engine runs in a process of its own, as each library's threads would disturb the others'. The processes take
turns, one run each per round, so that a busy machine slows all of them alike; medians are reported. On a machine
that others use, trust the columns per second of processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from tests.helpers import checkpoints

SHAPE = {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}
PROMPT_TOKENS = 256
NEW_TOKENS = 48
FIGURES = (
    "prefill tok/s",
    "decode tok/s",
    "prefill tok/CPU s",
    "decode tok/CPU s",
    "load s",
    "RSS MB",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the checkpoint and its exports, run the rounds, print a table."""
    parser = argparse.ArgumentParser(description="Compare torch and ONNX Runtime on GPT-2 124M.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.worker:
        serve(Path(arguments.worker), arguments.threads)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folders = write_models(Path(scratch))
        workers = {name: start(folder, arguments.threads) for name, folder in folders.items()}
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
        for number in range(arguments.rounds):
            for name, worker in workers.items():
                rounds[name].append(ask(worker))
            print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        for worker in workers.values():
            worker.communicate("")
    print_table(rounds)


def write_models(scratch: Path) -> dict[str, Path]:
    """A torch checkpoint and its two exports, by the name shown in the table."""
    from gptdesk.export.onnx_export import export_onnx

    source = checkpoints.write_gpt2(scratch / "source", initializer_range=0.02, **SHAPE)
    folders = {"torch fp32": source}
    for variant in ("fast", "portable"):
        export_onnx(source, scratch / variant, variant=variant)
        folders[f"onnx fp32 {variant}"] = scratch / variant
    return folders


def start(folder: Path, threads: int) -> subprocess.Popen[str]:
    """A process that loads the model and then makes one run for each line it is sent."""
    command = [sys.executable, "-m", "tests.benchmarks.engines"]
    command += ["--worker", str(folder), "--threads", str(threads)]
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def ask(worker: subprocess.Popen[str]) -> dict[str, float]:
    """Let the process make one run."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write("run\n")
    worker.stdin.flush()
    figures: dict[str, float] = json.loads(worker.stdout.readline())
    return figures


def serve(folder: Path, threads: int) -> None:
    """What the process does: load, then answer each line with the figures of one run."""
    from gptdesk.checkpoints.folder import resolve_folder
    from gptdesk.engines.registry import open_engine

    started = time.perf_counter()
    engine, _ = open_engine(resolve_folder(folder), device="cpu", dtype="fp32", threads=threads)
    load = time.perf_counter() - started
    prompt = [(37 * i) % SHAPE["vocab_size"] for i in range(PROMPT_TOKENS)]
    for _ in sys.stdin:
        engine.truncate(0)
        clocks = [read_clocks()]
        logits = engine.extend(prompt)
        clocks.append(read_clocks())
        for _ in range(NEW_TOKENS):
            logits = engine.extend([int(logits[-1].argmax())])
            clocks.append(read_clocks())
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(clocks)]
        prefill = [PROMPT_TOKENS / seconds for seconds in steps[0]]
        decode = [1 / statistics.median(seconds) for seconds in zip(*steps[1:], strict=True)]
        pairs = (value for pair in zip(prefill, decode, strict=True) for value in pair)
        values = (*pairs, load, resident_megabytes())
        print(json.dumps(dict(zip(FIGURES, values, strict=True))), flush=True)


def read_clocks() -> tuple[float, float]:
    """Seconds on the wall, and of processor time of all threads of this process."""
    return time.perf_counter(), time.process_time()


def resident_megabytes() -> float:
    """Memory of this process that is in RAM (Linux; NaN elsewhere)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def print_table(rounds: dict[str, list[dict[str, float]]]) -> None:
    """Medians over the rounds, as a Markdown table."""
    print("| engine |", " | ".join(FIGURES), "|")
    print("|---" * (len(FIGURES) + 1) + "|")
    for name, runs in rounds.items():
        medians = (statistics.median(run[figure] for run in runs) for figure in FIGURES)
        print(f"| {name} |", " | ".join(f"{value:.1f}" for value in medians), "|")


if __name__ == "__main__":
    main()
