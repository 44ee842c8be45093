"""Figures and unchosen samples for the micro-model's card, from a finished model folder.

    python resources/recipes/micro_report.py --data DATA --model models/gptdesk-base

Prints Markdown: bits per byte of each dev set, how much greedy answers repeat themselves, and what gptdesk's own tasks make of the first
dev texts of each kind, chosen by position and length alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from micro_corpus import (
    PROSE,
    SUMMARIES,
    TRANSLATIONS,
    clip,
    read_documents,
    read_pairs,
)
from micro_score import build_dev_sets
from tokenizers import Tokenizer

import gptdesk
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt

PROMPT_CHARACTERS = {"en": 240, "zh": 80}
DOCUMENT_CHARACTERS = {"en": 1200, "zh": 400}
# Moderate length: a sentence, not a button's label and not a page.
TRANSLATED_CHARACTERS = range(30, 160)


def figures(model_dir: Path, data: Path, rows: int) -> Iterator[str]:
    """One table row per dev set."""
    model, _ = load_gpt(resolve_folder(model_dir))
    tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    yield "| dev set | bits per byte |"
    yield "|---|---|"
    for dev in build_dev_sets(data, tokenizer, model.config.context_length, rows):
        yield f"| {dev.name} | {dev.bits_per_byte(model):.3f} |"


def first_prompts(data: Path, count: int) -> Iterator[tuple[str, str]]:
    """(source, the beginning of its second paragraph) of the first dev documents, in turn."""
    readers = {corpus: read_documents(data / f"{corpus.name}.dev.txt.xz") for corpus in PROSE}
    for number in range(count):
        corpus = PROSE[number % len(PROSE)]
        paragraphs = next(document for document in readers[corpus] if len(document) > 2)
        yield corpus.name, clip(paragraphs[1], PROMPT_CHARACTERS[corpus.language])


def first_documents(data: Path, count: int) -> Iterator[tuple[str, str, str, str, str]]:
    """(source, form, language, document, its own summary) of the first dev rows, in turn."""
    readers = {corpus: read_pairs(data / f"{corpus.name}.dev.jsonl.xz") for corpus in SUMMARIES}
    for number in range(count):
        corpus = SUMMARIES[number % len(SUMMARIES)]
        row = next(readers[corpus])
        document = clip(row["document"], DOCUMENT_CHARACTERS[corpus.language])
        yield corpus.name, corpus.form, corpus.language, document, row["summary"]


def first_pairs(data: Path, count: int) -> Iterator[tuple[str, str, str, str]]:
    """(source language, target language, text, its own translation), the directions in turn."""
    rows = (
        row
        for row in read_pairs(data / f"{TRANSLATIONS}.dev.jsonl.xz")
        if len(row["src"]) in TRANSLATED_CHARACTERS
    )
    for number, row in enumerate(islice(rows, count)):
        if number % 2:
            yield "zh", "en", row["tgt"], row["src"]
        else:
            yield "en", "zh", row["src"], row["tgt"]


def joined(task: Callable[..., Any], model: Any, text: str, **options: Any) -> str:
    """The whole result of a task, on one line."""
    result = "".join(event.text for event in task(model, text, **options))
    return " / ".join(line for line in result.splitlines() if line.strip())


def samples(model_dir: Path, data: Path, count: int) -> Iterator[str]:
    """Continuations, summaries and translations, each beside what it was made from."""
    model = gptdesk.load(model_dir, engine="torch", device="cpu", dtype="fp32")
    yield "\n### Continue (sampling of gptdesk.json, seed 1)\n"
    for source, prompt in first_prompts(data, count):
        text = joined(gptdesk.continue_text, model, prompt, seed=1)
        yield f"* {source}: {prompt} **{text}**"
    yield "\n### Summarize\n"
    for source, form, language, document, own in first_documents(data, count):
        text = joined(gptdesk.summarize, model, document, form=form, language=language)
        yield f"* {source}, {form}: **{text}** (its own: {own})"
    yield "\n### Translate\n"
    for origin, target, source, own in first_pairs(data, count):
        text = joined(gptdesk.translate, model, source, source=origin, target=target)
        yield f"* {origin} → {target}: {source} **{text}** (its own: {own})"
    model.close()


def repeats(model_dir: Path, data: Path, count: int) -> Iterator[str]:
    """How many 4-grams of greedy answers are repeats, without and with the model's penalties."""
    model = gptdesk.load(model_dir, engine="torch", device="cpu", dtype="fp32")
    yield "\n| repeated 4-grams | summarize | translate |"
    yield "|---|---|---|"
    off = {"repetition_penalty": 1.0, "dry_multiplier": 0.0}
    for label, sampling in (("no penalties", off), ("gptdesk.json", {})):
        summaries = [
            joined(gptdesk.summarize, model, document, form=form, language=language, **sampling)
            for _, form, language, document, _ in first_documents(data, count)
        ]
        translations = [
            joined(gptdesk.translate, model, text, source=source, target=target, **sampling)
            for source, target, text, _ in first_pairs(data, count)
        ]
        shares = [repeated_share(model, texts) for texts in (summaries, translations)]
        yield f"| {label} | {shares[0]:.0%} | {shares[1]:.0%} |"
    model.close()


def repeated_share(model: Any, texts: Sequence[str]) -> float:
    """Share of the 4-grams of tokens that came before in the same text."""
    total = distinct = 0
    for text in texts:
        ids = model.tokenizer.encode(text)
        grams = [tuple(ids[i : i + 4]) for i in range(len(ids) - 3)]
        total += len(grams)
        distinct += len(set(grams))
    return 1 - distinct / max(1, total)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--rows", type=int, default=60, help="rows of 512 tokens per dev set")
    parser.add_argument("--samples", type=int, default=10, help="samples of each task")
    options = parser.parse_args(arguments)
    torch.set_num_threads(2)
    for line in figures(options.model, options.data, options.rows):
        print(line, flush=True)
    for line in repeats(options.model, options.data, options.samples):
        print(line, flush=True)
    for line in samples(options.model, options.data, options.samples):
        print(line, flush=True)


if __name__ == "__main__":
    main()
