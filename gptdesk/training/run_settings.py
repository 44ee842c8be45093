"""From a configuration to what the trainer is given: lengths in steps, rates, rows, a device."""

from __future__ import annotations

import dataclasses
import math

import torch

from gptdesk.errors import OptionError
from gptdesk.training import config as config_file
from gptdesk.training.config import TrainingConfig
from gptdesk.training.presets import PRESETS, micro_rows
from gptdesk.training.settings import Precision, TrainerSettings

_INSTRUCT_RATE = 1 / 3


def global_rows(config: TrainingConfig, *, instruct: bool = False) -> int:
    """Rows of one step, all processes together."""
    if instruct:
        tokens = config.instruct.batch_tokens or config.run.batch_tokens
        return max(1, tokens // config.model.context_length)
    return max(1, config.run.batch_tokens // config.row_tokens)


def pretrain_settings(config: TrainingConfig, rows_per_epoch: int) -> TrainerSettings:
    """How the first training runs, over so many rows."""
    schedule = config.schedule
    steps = schedule.max_steps
    rows = global_rows(config)
    if steps is None and schedule.tokens is not None:
        steps = math.ceil(schedule.tokens / (rows * config.row_tokens))
    if steps is None and schedule.epochs is not None:
        steps = math.ceil(schedule.epochs * rows_per_epoch / rows)
    per_pass = micro_rows(config.row_tokens, rows)
    return _settings(config, per_pass, steps, schedule.max_minutes, 1.0, None)


def instruct_settings(config: TrainingConfig, rows_per_epoch: int) -> TrainerSettings:
    """How the second training runs, over so many rows."""
    rows = global_rows(config, instruct=True)
    steps = math.ceil(config.instruct.epochs * rows_per_epoch / rows)
    minutes, rate = config.instruct.max_minutes, config.instruct.learning_rate
    per_pass = micro_rows(config.model.context_length, rows)
    settings = _settings(config, per_pass, steps, minutes, _INSTRUCT_RATE, rate)
    decay = config.instruct.decay_fraction
    return settings if decay is None else dataclasses.replace(settings, decay_fraction=decay)


def resolve_device(name: str) -> str:
    """The device that a configuration names; "auto" takes a GPU where there is one.

    Raises:
        OptionError: this machine has no such device.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name).item()  # some can be named that hold no numbers
    except (RuntimeError, AssertionError) as error:
        raise OptionError(
            f'[run] device = "{name}" is not on this machine.',
            'Set device = "auto", or leave the line out.',
            str(error),
        ) from error
    return name


def resolve_precision(name: config_file.Precision, device: str) -> Precision:
    """The precision that a configuration names; "auto" takes the fastest that is safe."""
    if name != "auto":
        return name
    if device.startswith("cuda"):
        return "autocast"
    fast = device == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if fast else "fp32"


def _settings(
    config: TrainingConfig,
    per_pass: int,
    steps: int | None,
    minutes: float | None,
    factor: float,
    rate: float | None,
) -> TrainerSettings:
    """Settings of one training.

    Args:
        per_pass: rows of one forward pass, unless the configuration says otherwise.
        factor: scales the usual rates.
        rate: replaces AdamW's.
    """
    optimizer, schedule, run = config.optimizer, config.schedule, config.run
    preset = PRESETS[config.model.preset]
    adam = optimizer.learning_rate or preset.learning_rate
    muon = optimizer.muon_learning_rate or preset.muon_learning_rate
    device = resolve_device(run.device)
    first, second = optimizer.betas
    return TrainerSettings(
        max_steps=steps,
        max_minutes=minutes,
        micro_rows=run.micro_batch or per_pass,
        optimizer=optimizer.name,
        learning_rate=rate or adam * factor,
        muon_learning_rate=muon * (rate / adam if rate else factor),
        betas=(first, second),
        eps=optimizer.eps,
        weight_decay=optimizer.weight_decay,
        grad_clip=optimizer.grad_clip,
        schedule=schedule.kind,
        # A short run must not end before it has warmed up.
        warmup_steps=min(schedule.warmup_steps, steps // 10) if steps else schedule.warmup_steps,
        decay_fraction=schedule.decay_fraction,
        min_lr_ratio=schedule.min_lr_ratio,
        seed=run.seed,
        precision=resolve_precision(run.precision, device),
        compile=run.compile,
        mask_documents=run.mask_documents,
        device=device,
        threads=run.threads,
        sharding=run.sharding,
        checkpoint_steps=run.checkpoint_steps,
        checkpoint_minutes=run.checkpoint_minutes,
        keep=run.keep,
        eval_steps=run.eval_steps,
        eval_rows=run.eval_rows,
        log_steps=run.log_steps,
    )
