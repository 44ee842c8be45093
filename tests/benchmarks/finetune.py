"""What fine-tuning on one author brings: `python -m tests.benchmarks.finetune BOOKS --book 0`.

BOOKS is a text file, packed or not, whose documents are separated by lines of `<|endoftext|>`. The chosen book, or its
first characters, is learnt but for its end, which is what the figures are of. For each method and learning rate: held-out
perplexity and bits per byte before and after, the share of full fine-tuning's gain (in bits per byte) that the method
reaches, seconds, the longest run of words that a sample shares with the training text.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from gptdesk import paths
from gptdesk.evaluation.finetune_report import finetune_and_report
from gptdesk.model.lora_settings import LoraSettings
from gptdesk.training.events import FinetuneReport
from gptdesk.training.finetune_settings import DEFAULT_LORA, FinetuneSettings
from gptdesk.training.sources import open_unpacked

SEPARATOR = "<|endoftext|>"
FIGURES = ("run", "perplexity", "bits per byte", "gain", "of full's", "s", "copied words")


def main(argv: Sequence[str] | None = None) -> None:
    """Fine-tune in each way, print a table."""
    parser = argparse.ArgumentParser(description="Measure what fine-tuning on a book brings.")
    parser.add_argument("books", type=Path)
    parser.add_argument("--book", type=int, default=0, help="number of the document")
    parser.add_argument("--chars", type=int, default=400_000, help="of its beginning")
    parser.add_argument("--model", type=Path, default=paths.default_model_dir())
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--rank", type=int, default=DEFAULT_LORA.rank)
    parser.add_argument("--dropout", type=float, default=DEFAULT_LORA.dropout)
    parser.add_argument("--full", type=float, nargs="*", default=[0.0], help="rates; 0: usual")
    parser.add_argument("--lora", type=float, nargs="*", default=[0.0], help="rates; 0: usual")
    options = parser.parse_args(argv)
    text = book(options.books, options.book)[: options.chars]
    print(f"{text.strip().splitlines()[0]!r}, {len(text):,} characters\n")
    print("|", " | ".join(FIGURES), "|")
    print("|---" * len(FIGURES) + "|")
    best_full = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "book.txt"
        page.write_text(text, encoding="utf-8")
        for method in ("full", "lora"):
            for rate in getattr(options, method):
                out = Path(scratch) / f"{method}-{rate}"
                settings = FinetuneSettings(
                    model=options.model,
                    data=(str(page),),
                    out=out,
                    method=method,
                    lora=LoraSettings(
                        rank=options.rank, alpha=2.0 * options.rank, dropout=options.dropout
                    ),
                    epochs=options.epochs,
                    learning_rate=rate or None,
                )
                gain = show(f"{method} {rate or 'usual'}", settings, best_full)
                best_full = max(best_full, gain) if method == "full" else best_full


def book(path: Path, number: int) -> str:
    """One document of the file."""
    with io.TextIOWrapper(open_unpacked(path), "utf-8") as stream:
        lines: list[str] = []
        for line in stream:
            if line.rstrip("\n") == SEPARATOR:
                if number == 0:
                    break
                number -= 1
                lines.clear()
            else:
                lines.append(line)
    return "".join(lines)


def show(name: str, settings: FinetuneSettings, full_gain: float) -> float:
    """Run one fine-tune and print its line; returns its gain in bits per byte."""
    start = time.monotonic()
    (report,) = (
        event for event in finetune_and_report(settings) if isinstance(event, FinetuneReport)
    )
    before, after = report.bits_per_byte_before or 0.0, report.bits_per_byte_after or 0.0
    gain = before - after
    cells = (
        name,
        f"{report.perplexity_before:.2f} → {report.perplexity_after:.2f}",
        f"{before:.3f} → {after:.3f}",
        f"{gain:.3f}",
        f"{gain / full_gain:.0%}" if full_gain else "",
        f"{time.monotonic() - start:.0f}",
        f"{report.copied_words}",
    )
    print("|", " | ".join(cells), "|", flush=True)
    return gain


if __name__ == "__main__":
    main()
