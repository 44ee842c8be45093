"""Dev scores of the micro-model: bits per byte of prose and of task answers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from micro_corpus import (
    PROSE,
    SCORED,
    Encoder,
    Example,
    Prose,
    pack,
    pieces_of,
    some_documents,
    summary_rows,
    translation_rows,
)
from tokenizers import Tokenizer
from torch import Tensor, nn


@dataclass(frozen=True)
class DevSet:
    """Packed rows of one dev set and the bytes that its scored tokens stand for.

    Attributes:
        tokens: (rows, T + 1) ids.
        scored: (rows, T) whether the following token counts.
        bytes_of: (vocab_size,) UTF-8 bytes of each token; 0 for special tokens.
    """

    name: str
    tokens: Tensor
    scored: Tensor
    bytes_of: Tensor

    @torch.no_grad()
    def bits_per_byte(self, model: nn.Module) -> float:
        """Cross-entropy of the scored tokens in bits, per byte of their text."""
        model.eval()
        nats = bytes_seen = 0.0
        for tokens, scored in zip(self.tokens.split(4), self.scored.split(4), strict=True):
            targets = tokens[:, 1:]  # (rows, T)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(tokens[:, :-1])  # (rows, T, vocab_size)
            losses = F.cross_entropy(logits.float().transpose(1, 2), targets, reduction="none")
            nats += float(losses[scored].sum())
            bytes_seen += float(self.bytes_of[targets][scored].sum())
        return nats / math.log(2) / bytes_seen


def token_bytes(tokenizer: Tokenizer) -> Tensor:
    """UTF-8 bytes of each token: a byte-level token has one character per byte."""
    special = {id_ for id_, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    lengths = [
        0 if id_ in special else len(tokenizer.id_to_token(id_))
        for id_ in range(tokenizer.get_vocab_size())
    ]
    return torch.tensor(lengths, dtype=torch.float32)


def build_dev_sets(data: Path, tokenizer: Tokenizer, context: int, rows: int) -> list[DevSet]:
    """The first `rows` packed rows of every prose corpus and of each task's answers."""
    encoder = Encoder(tokenizer, context)
    sets = []
    for corpus in PROSE:
        rng = random.Random(0)
        examples = _prose(data, encoder, corpus, rng)
        sets.append(_dev_set(corpus.name, examples, tokenizer, context, rows))
    tasks = (("answers_translate", translation_rows), ("answers_summarize", summary_rows))
    for name, make in tasks:
        rng = random.Random(0)
        task_rows = list(make(data, "dev", rng))
        rng.shuffle(task_rows)
        examples = encoder.tasks(task_rows[: rows * 20])
        sets.append(_dev_set(name, examples, tokenizer, context, rows))
    return sets


def _prose(data: Path, encoder: Encoder, corpus: Prose, rng: random.Random) -> Iterable[Example]:
    for paragraphs in some_documents(data, corpus, "dev", rng):
        yield from encoder.prose(list(pieces_of(paragraphs, corpus.language, rng)))


def _dev_set(
    name: str, examples: Iterable[Example], tokenizer: Tokenizer, context: int, rows: int
) -> DevSet:
    tokens, kinds = pack(list(examples)[: rows * 20], context + 1)
    return DevSet(
        name=name,
        tokens=torch.from_numpy(tokens[:rows].astype("int64")),
        scored=torch.from_numpy(kinds[:rows, 1:] == SCORED),
        bytes_of=token_bytes(tokenizer),
    )
