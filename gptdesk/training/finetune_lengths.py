"""How long and how fast a fine-tune goes when the person leaves it open."""

from __future__ import annotations

import math

from gptdesk.model.config import ModelConfig
from gptdesk.training.finetune_settings import FinetuneSettings
from gptdesk.training.presets import micro_rows
from gptdesk.training.settings import Precision, TrainerSettings

_USUAL_CONTEXT = 512
_LEAST_STEPS = 10  # of an epoch, as far as there are rows for so many
_FULL_RATES = ((3e7, 5e-4), (2e8, 1e-4), (math.inf, 2e-5))
"""Up to so many parameters, a peak learning rate for all weights: large models forget at rates
that small ones need."""
_LORA_FACTOR = 10.0
_MOST_WARMUP = 50


def row_tokens(settings: FinetuneSettings, config: ModelConfig) -> int:
    """Tokens of a row: what was asked for, within the model's context."""
    return min(settings.context or _USUAL_CONTEXT, config.context_length)


def step_rows(settings: FinetuneSettings, context: int, rows_per_epoch: int) -> int:
    """Rows of one step: few texts are better learnt in many small steps."""
    return max(1, min(settings.batch_tokens // context, rows_per_epoch // _LEAST_STEPS))


def peak_rate(settings: FinetuneSettings, parameters: int) -> float:
    """The learning rate asked for, or one for a model of so many parameters."""
    if settings.learning_rate is not None:
        return settings.learning_rate
    rate = next(rate for limit, rate in _FULL_RATES if parameters <= limit)
    return rate * _LORA_FACTOR if settings.method == "lora" else rate


def trainer_settings(
    settings: FinetuneSettings,
    config: ModelConfig,
    context: int,
    rows_per_epoch: int,
    *,
    precision: Precision,
    device: str,
) -> TrainerSettings:
    """How the trainer is to go through so many rows."""
    rows = step_rows(settings, context, rows_per_epoch)
    steps = max(1, math.ceil(settings.epochs * rows_per_epoch / rows))
    return TrainerSettings(
        max_steps=steps,
        max_minutes=settings.max_minutes,
        micro_rows=micro_rows(context, rows),
        learning_rate=peak_rate(settings, config.num_parameters),
        weight_decay=0.01 if settings.method == "full" else 0.0,
        schedule="cosine",
        warmup_steps=min(_MOST_WARMUP, steps // 10),
        min_lr_ratio=0.1,
        seed=settings.seed,
        precision=precision,
        device=device,
        threads=settings.threads,
        checkpoint_minutes=5.0,
        eval_steps=max(1, math.ceil(rows_per_epoch / rows)),
        log_steps=max(1, min(10, steps // 20)),
    )
