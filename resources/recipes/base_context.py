"""How well the bundled model predicts by how much of a text it has read, beyond its context too.

    python resources/recipes/base_context.py --data DATA --model models/gptdesk-base

Rotary positions let it read on where its training ended; the table says at what price.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import torch
from base_corpus import read_prose

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.model.gpt import GPT
from gptdesk.text.tokenizer import Tokenizer

LENGTH = 2048
STRETCH = 256
SETS = ("prose_en_books.dev", "prose_zh_classics_modern.dev")
"""Those that have long documents."""

ROWS = 40
LONGEST = 60_000  # characters of a document


@torch.no_grad()
def nats_by_position(gpt: GPT, ids: list[int]) -> torch.Tensor:
    """-log p of each id but the first, in nats: (LENGTH,)."""
    tokens = torch.tensor([ids])  # (1, LENGTH + 1)
    hidden = gpt.model(tokens[:, :-1], None)  # (1, LENGTH, hidden_size)
    logits = gpt.logits(hidden).float()[0]  # (LENGTH, vocabulary)
    return torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="none")


def rows(path: Path, tokenizer: Tokenizer) -> Iterator[list[int]]:
    """Stretches of long documents, the end of text before each: (LENGTH + 1) ids."""
    end = min(tokenizer.end_ids)  # <|endoftext|>; chat turns have an end of their own
    for document in read_prose(path):
        ids = tokenizer.encode_plain("\n".join(document)[:LONGEST])
        for start in range(0, len(ids) - LENGTH + 1, LENGTH):
            yield [end, *ids[start : start + LENGTH]]


def column(gpt: GPT, path: Path, tokenizer: Tokenizer) -> list[float]:
    """Mean nats of each stretch."""
    found = itertools.islice(rows(path, tokenizer), ROWS)
    nats = torch.stack([nats_by_position(gpt, row) for row in found])  # (rows, LENGTH)
    return nats.mean(0).view(-1, STRETCH).mean(1).tolist()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Quality by position in the context.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    gpt, _ = load_gpt(resolve_folder(options.model))
    tokenizer = Tokenizer.from_folder(options.model)
    columns = [column(gpt, options.data / f"{name}.txt.xz", tokenizer) for name in SETS]
    print(f"| tokens read | {' | '.join(SETS)} |\n|---|{'---|' * len(SETS)}")
    for start, values in zip(range(0, LENGTH, STRETCH), zip(*columns, strict=True), strict=True):
        shown = " | ".join(f"{value:.2f}" for value in values)
        print(f"| {start}–{start + STRETCH} | {shown} |")


if __name__ == "__main__":
    main()
