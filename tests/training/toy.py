"""A model small enough to be trained inside a test, and text that it can learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.training.batches import IGNORED, Batch
from gptdesk.training.initialise import initialise
from gptdesk.training.settings import TrainerSettings

CONFIG = ModelConfig(
    architecture="llama",
    vocab_size=97,
    context_length=24,
    num_layers=2,
    hidden_size=32,
    num_heads=4,
    num_kv_heads=2,
    head_dim=8,
    intermediate_size=48,
    tied_embeddings=True,
)

SETTINGS = TrainerSettings(
    max_steps=8,
    micro_rows=3,
    learning_rate=1e-2,
    warmup_steps=2,
    checkpoint_minutes=None,
    log_steps=1,
    tensorboard=False,
)


class ToyBatches:
    """Rows that count upwards in small steps; five of them, so that processes get uneven shares."""

    context_length = CONFIG.context_length
    rows_per_epoch = 20
    bytes_per_token = 2.0

    def __init__(self, global_rows: int = 5) -> None:
        self.global_rows = global_rows

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        rows = self.global_rows
        rng = np.random.default_rng(step)
        steps = rng.integers(1, 4, (rows, self.context_length + 1))
        ids = (rng.integers(0, 97, (rows, 1)) + np.cumsum(steps, axis=1)) % 97
        targets = ids[:, 1:].copy()
        targets[0, :7] = IGNORED
        segments = np.zeros((rows, self.context_length), np.int32)
        segments[1, 9:] = 1
        part = slice(rows * rank // world, rows * (rank + 1) // world)
        return Batch(ids[part, :-1], targets[part], segments[part])


def new_model(seed: int = 1, **changes: Any) -> GPT:
    gpt = GPT(replace(CONFIG, **changes))
    initialise(gpt, seed)
    return gpt


def losses(folder: Path) -> list[float]:
    """The losses that a run recorded, in order."""
    from gptdesk.training.metrics import read_metrics

    return [data["loss"] for data in read_metrics(folder) if data["kind"] == "train"]
