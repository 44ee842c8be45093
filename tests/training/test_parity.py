"""Fifty steps of ours and of a plain loop around `transformers` give the same losses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.loader import load_gpt
from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, losses

STEPS, RATE, DECAY, CLIP = 50, 3e-3, 0.1, 1.0


class _Rows(ToyBatches):
    """Whole rows of one document, as the plain loop knows no others."""

    def batch(self, step: int, rank: int = 0, world: int = 1):  # type: ignore[no-untyped-def]
        batch = super().batch(step, rank, world)
        return replace(batch, segments=np.zeros_like(batch.segments))


def _plain_losses(folder: Path) -> list[float]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
    decayed = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95))
    recorded = []
    for step in range(STEPS):
        batch = _Rows().batch(step)
        logits = model(torch.from_numpy(batch.inputs)).logits
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), torch.from_numpy(batch.targets).flatten()
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        recorded.append(loss.item())
    return recorded


def test_the_trainer_is_a_plain_loop_only_faster(tmp_path: Path, tiny_llama_dir: Path) -> None:
    settings = replace(
        SETTINGS,
        max_steps=STEPS,
        micro_rows=2,
        loss_chunk=16,
        learning_rate=RATE,
        weight_decay=DECAY,
        grad_clip=CLIP,
        warmup_steps=0,
        decay_fraction=0.0,
    )
    gpt, _ = load_gpt(resolve_folder(tiny_llama_dir))
    list(Trainer(gpt.requires_grad_(True), _Rows(), settings, tmp_path).run())
    ours, theirs = losses(tmp_path), _plain_losses(tiny_llama_dir)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    assert theirs[-1] < 0.7 * theirs[0]
