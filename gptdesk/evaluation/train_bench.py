"""Speed of training against the loop that anybody would write, and what each change brings.

Each way of making steps runs in a process of its own (`training/speed.py`). The plain loop and the
way compared with it take turns, step by step, so that what else the machine does hits both: the
ratio can be trusted where tokens per second cannot.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from gptdesk.errors import TrainingError
from gptdesk.training.allocation import LARGE_PAGES

SHAPES = ("13.8M", "33M")
TOKENS_PER_STEP = 16 * 256
_WARM_UP = 2

_STEPS = {"kind": "steps"}
_MEMORY = {**_STEPS, "keep_memory": True}
_ATTENTION = {**_MEMORY, "plain_attention": True}
_FUSED = {**_ATTENTION, "fused_optimizer": True}
_CHUNKED = {**_FUSED, "chunk": 512}
_BF16 = {**_CHUNKED, "bf16": True}

WAYS: Mapping[str, Mapping[str, Any]] = {
    # One change to the plain loop at a time …
    "kept memory alone": _MEMORY,
    "plain attention alone": {**_STEPS, "plain_attention": True},
    "fused optimiser alone": {**_STEPS, "fused_optimizer": True},
    "chunked loss alone": {**_STEPS, "chunk": 512},
    "bf16 weights alone": {**_STEPS, "chunk": 4096, "bf16": True},
    "4 rows at a time alone": {**_STEPS, "micro_rows": 4},
    "compile alone": {**_STEPS, "compile": True},
    # … and one after the other.
    "kept memory + plain attention": _ATTENTION,
    "… + fused optimiser": _FUSED,
    "… + chunked loss": _CHUNKED,
    "… + bf16 weights": _BF16,
    "trainer": {"kind": "trainer"},
    "trainer, 4 rows at a time": {"kind": "trainer", "micro_rows": 4},
    "trainer, compiled": {"kind": "trainer", "compile": True},
    "trainer, compiled, 4 rows": {"kind": "trainer", "compile": True, "micro_rows": 4},
}


@dataclass(frozen=True, slots=True)
class WayReport:
    """One way against the plain loop, in turns.

    Attributes:
        ratio: of the speeds, median over the turns; above 1 is faster than the plain loop.
        cpu_ratio: the same of processor time, which other programs disturb less: on a busy
            machine this is the one to trust, with one thread above all.
        plain_tokens_per_second, tokens_per_second: medians.
        first_step_seconds: until the first step was made; compiling is most of it.
        peak_megabytes: memory of the process.
        flops_share: of what the device can do, in bf16; 0 where that is not known.
        problem: why there are no figures, or "".
    """

    shape: str
    way: str
    ratio: float = 0.0
    cpu_ratio: float = 0.0
    plain_tokens_per_second: float = 0.0
    tokens_per_second: float = 0.0
    first_step_seconds: float = 0.0
    peak_megabytes: float = 0.0
    flops_share: float = 0.0
    problem: str = ""


def measure_training(
    shapes: tuple[str, ...] = SHAPES,
    ways: Mapping[str, Mapping[str, Any]] = WAYS,
    *,
    turns: int = 5,
    threads: int | None = None,
    device: str = "cpu",
    report: Callable[[WayReport], None] = lambda _: None,
) -> list[WayReport]:
    """Measure every way on every shape.

    Args:
        shapes: keys of `training.speed.SHAPES`.
        ways: fields of `training.speed.Way` by the name to show.
        turns: steps of each of both.
        threads: of each process; None for all cores.
        device: "cpu" or "cuda".
        report: told each result as it comes.

    Raises:
        TrainingError: not even the plain loop runs here.
    """
    common = {"threads": threads or os.cpu_count() or 1, "device": device}
    results = []
    for shape in shapes:
        with _Child({"shape": shape, **common}) as plain:
            plain.warm_up()
            for name, way in ways.items():
                result = _compare(plain, shape, name, {"shape": shape, **common, **way}, turns)
                report(result)
                results.append(result)
    return results


def _compare(plain: _Child, shape: str, name: str, way: Mapping[str, Any], turns: int) -> WayReport:
    try:
        with _Child(way) as child:
            first = child.warm_up()
            pairs = [(plain.step(), child.step()) for _ in range(turns)]
            end = child.finish()
    except TrainingError as error:  # a way that fails here is a result, too
        return WayReport(shape, name, problem=(error.details or error.title).strip()[-300:])
    seconds, cpu = ([(a[key], b[key]) for a, b in pairs] for key in ("seconds", "cpu_seconds"))
    typical = statistics.median(ours for _, ours in seconds)
    return WayReport(
        shape=shape,
        way=name,
        ratio=statistics.median(theirs / ours for theirs, ours in seconds),
        cpu_ratio=statistics.median(theirs / ours for theirs, ours in cpu),
        plain_tokens_per_second=TOKENS_PER_STEP
        / statistics.median(theirs for theirs, _ in seconds),
        tokens_per_second=TOKENS_PER_STEP / typical,
        first_step_seconds=first,
        peak_megabytes=end["peak_bytes"] / 1e6,
        flops_share=end["flops_per_step"] / typical / end["peak_flops"] if end["peak_flops"] else 0,
    )


class _Child:
    """A process that makes a step whenever it is asked to."""

    def __init__(self, way: Mapping[str, Any]) -> None:
        large_pages = str(int(way.get("kind") == "trainer"))
        environment = os.environ | {
            "OMP_NUM_THREADS": str(way["threads"]),
            LARGE_PAGES: large_pages,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gptdesk.training.speed", json.dumps(way)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
        )

    def __enter__(self) -> _Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def warm_up(self) -> float:
        """Make the first steps; returns the seconds of the very first."""
        first = self.step()["seconds"]
        for _ in range(_WARM_UP - 1):
            self.step()
        return first

    def step(self) -> dict[str, float]:
        """Make a step; returns its seconds, by the clock and of the processor."""
        return self._ask("step")

    def finish(self) -> dict[str, float]:
        """The figures of the whole process."""
        return self._ask("end")

    def _ask(self, what: str) -> dict[str, float]:
        stdin, stdout, stderr = self._process.stdin, self._process.stdout, self._process.stderr
        if stdin is None or stdout is None or stderr is None:
            raise TrainingError("The training process has no pipes.")
        try:
            stdin.write(what + "\n")
            stdin.flush()
            answer: dict[str, float] = json.loads(stdout.readline())
        except (OSError, ValueError) as error:
            raise TrainingError(
                "A training step could not be measured.",
                "The details tell what the process said last.",
                stderr.read(),
            ) from error
        return answer
