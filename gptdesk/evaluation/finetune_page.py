"""The report of a fine-tune: its figures as data, and as a page for the person."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gptdesk import __version__
from gptdesk.evaluation.copying import ALARM_CHARACTERS, ALARM_WORDS, Copied
from gptdesk.evaluation.perplexity import Likelihood

_SHOWN_RUNS = 10
_SOURCES = {
    "held-out text": "beginning held out",
    "training text": "beginning it was trained on",
    "held-out question": "question held out",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """Something that the tuned model wrote.

    Attributes:
        source: "held-out text", "training text" or "held-out question": where the prompt is from.
        manner: "greedy" or "sampled".
        prompt: what it was given.
        text: what it wrote.
    """

    source: str
    manner: str
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of a fine-tune.

    Attributes:
        model, method, out: what was tuned, how, and where the result is.
        steps: optimiser steps; `loss` the last mean of training, in nats per token.
        before, after: likelihood of the text held out by the model as it was, and as it is.
        measured: what was held out, in words.
        samples: what the tuned model wrote.
        copied: for each sample that shares words with the training text its longest run.
    """

    model: str
    method: str
    out: str
    steps: int
    loss: float
    before: Likelihood
    after: Likelihood
    measured: str
    samples: Sequence[Sample] = ()
    copied: Sequence[Copied] = ()

    @property
    def alarm(self) -> str:
        """What is to be said about copying; "" when nothing is wrong."""
        runs = [run for run in self.copied if run.is_alarming]
        if not runs:
            return ""
        longest = max(runs, key=lambda run: run.words)
        return (
            f"{len(runs)} of {len(self.samples)} samples repeat the training text word for word, "
            f"the longest for {longest.words} words. Fewer epochs, more text or a lower rank help."
        )


def as_data(report: Report) -> dict[str, Any]:
    """Plain values for report.json; figures that are none become null."""
    return {
        "gptdesk": __version__,
        "model": report.model,
        "method": report.method,
        "out": report.out,
        "steps": report.steps,
        "training_loss": _or_none(report.loss),
        "held_out": report.measured,
        "before": _figures(report.before),
        "after": _figures(report.after),
        "samples": [dataclasses.asdict(sample) for sample in report.samples],
        "copied": [dataclasses.asdict(run) for run in report.copied],
        "alarm": report.alarm,
    }


def as_page(report: Report) -> str:
    """REPORT.md."""
    return "\n".join(
        [*_heading(report), *_comparison(report), *_copying(report), *_samples(report)]
    )


def _heading(report: Report) -> Iterator[str]:
    kind = "a LoRA adapter" if report.method == "lora" else "all weights"
    yield f"# What the fine-tune of {report.model} brought"
    yield ""
    yield f"Trained: {kind}, {report.steps:,} steps, last training loss {report.loss:.3f}."
    yield ""


def _comparison(report: Report) -> Iterator[str]:
    before, after = report.before, report.after
    yield "## Text that it has not seen"
    yield ""
    if not after.tokens:
        yield "Nothing was held out, so nobody can say what training brought."
        yield ""
        return
    yield f"Measured on {report.measured}: {after.tokens:,} tokens."
    yield ""
    yield "| | before | after | change |"
    yield "|---|---|---|---|"
    for name, old, new in (
        ("perplexity", before.perplexity, after.perplexity),
        ("bits per byte", before.bits_per_byte, after.bits_per_byte),
    ):
        yield f"| {name} | {old:,.3f} | {new:,.3f} | {100 * (new / old - 1):+.1f}% |"
    yield ""
    if after.perplexity >= before.perplexity:
        yield "**The model predicts this text no better than before.**"
        yield ""


def _copying(report: Report) -> Iterator[str]:
    yield "## Does it copy?"
    yield ""
    if report.alarm:
        yield f"**Warning: {report.alarm}**"
    else:
        yield (
            f"No sample repeats the training text for {ALARM_WORDS} words or more "
            f"(Chinese: {ALARM_CHARACTERS} characters), formulas of the text left out."
        )
    yield ""
    for run in report.copied[:_SHOWN_RUNS]:
        mark = " **copied**" if run.is_alarming else ""
        yield f"- sample {run.sample + 1}: {run.words} words{mark}: {run.text}"
    yield ""


def _samples(report: Report) -> Iterator[str]:
    yield "## Samples"
    yield ""
    for number, sample in enumerate(report.samples, 1):
        yield f"### {number}. After a {_SOURCES[sample.source]}, {sample.manner}"
        yield ""
        yield from _quoted(sample.prompt)
        yield ""
        yield from (sample.text.strip() or "(nothing)").splitlines()
        yield ""


def _quoted(text: str) -> Iterator[str]:
    return (f"> {line}".rstrip() for line in text.splitlines())


def _figures(likelihood: Likelihood) -> dict[str, float | int | None]:
    return {
        "perplexity": _or_none(likelihood.perplexity),
        "bits_per_byte": _or_none(likelihood.bits_per_byte),
        "tokens": likelihood.tokens,
        "utf8_bytes": likelihood.utf8_bytes,
    }


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
