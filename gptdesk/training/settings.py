"""How the trainer trains, as one validated dataclass, importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gptdesk.errors import OptionError

Precision = Literal["fp32", "autocast", "bf16"]
"""All in 32 bits; matrix products in bf16 (autocast); or bf16 throughout with the weights and the
optimiser in 32 bits, which is the fastest."""

OptimizerName = Literal["adamw", "muon"]
ScheduleKind = Literal["cosine", "wsd"]
Sharding = Literal["replicate", "shard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerSettings:
    """Everything that decides a run besides the model, its weights and the batches.

    Attributes:
        max_steps: optimiser steps of the whole run; None for as many as the time allows.
        max_minutes: time budget of the whole run, resumed parts counted together; the learning
            rate then follows the clock, so that it has decayed before the time is up.
        micro_rows: rows per forward and backward pass of one process.
        optimizer: AdamW (arXiv:1711.05101) for everything, or Muon for matrices.
        learning_rate: peak, of AdamW.
        muon_learning_rate: peak, of the matrices under Muon.
        betas, eps: of AdamW.
        weight_decay: of matrices; vectors and embeddings never decay.
        grad_clip: largest norm of the gradient; 0 for no limit.
        schedule: cosine from the peak to the end, or warm-up, stable, decay (arXiv:2404.06395).
        warmup_steps: steps during which the rate rises; at most a tenth of the time budget.
        decay_fraction: last share of the run in which "wsd" decays.
        min_lr_ratio: where the rate ends, as a share of its peak.
        seed: of dropout; the order of the data has a seed of its own, in the batches.
        precision, compile: speed; `compile` needs a C++ compiler on the machine.
        mask_documents: tokens do not see other documents that were packed into their row.
        loss_chunk: tokens whose logits are held at once; None for 16 million logits.
        device: "cpu", "cuda", "cuda:1".
        threads: of torch on the CPU; None leaves them alone.
        sharding: what several processes do with the model: each holds a replica (DDP) or a part
            (FSDP2).
        checkpoint_steps, checkpoint_minutes: whichever comes first; None for never. The end of a
            run is always saved.
        keep: newest checkpoints kept.
        eval_steps: steps between evaluations; None for only at the end.
        eval_rows: most rows of held-out text that one evaluation reads.
        log_steps: steps between two `StepDone` events.
        tensorboard: also write its event files, where it is installed.

    Raises:
        OptionError: a value is out of range.
    """

    max_steps: int | None = None
    max_minutes: float | None = None
    micro_rows: int = 4
    optimizer: OptimizerName = "adamw"
    learning_rate: float = 3e-3
    muon_learning_rate: float = 6e-3
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.1
    grad_clip: float = 1.0
    schedule: ScheduleKind = "wsd"
    warmup_steps: int = 50
    decay_fraction: float = 0.3
    min_lr_ratio: float = 0.0
    seed: int = 0
    precision: Precision = "fp32"
    compile: bool = False
    mask_documents: bool = True
    loss_chunk: int | None = None
    device: str = "cpu"
    threads: int | None = None
    sharding: Sharding = "replicate"
    checkpoint_steps: int | None = None
    checkpoint_minutes: float | None = 10.0
    keep: int = 2
    eval_steps: int | None = None
    eval_rows: int = 256
    log_steps: int = 10
    tensorboard: bool = True

    def __post_init__(self) -> None:
        if self.max_steps is None and self.max_minutes is None:
            raise OptionError(
                "Nothing says when training ends.", "Give a number of steps or of minutes."
            )
        for name in _COUNTS:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise _out_of_range(name, value, "at least 1")
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise _out_of_range(name, value, "above 0")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise _out_of_range(name, getattr(self, name), "from 0 to 1")
        for name in ("weight_decay", "grad_clip", "warmup_steps"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise _out_of_range(name, getattr(self, name), "0 or more")
        for beta in self.betas:
            if not 0 <= beta < 1:
                raise _out_of_range("betas", self.betas, "from 0 to below 1")


_COUNTS = (
    "max_steps",
    "micro_rows",
    "loss_chunk",
    "threads",
    "checkpoint_steps",
    "keep",
    "eval_steps",
    "eval_rows",
    "log_steps",
)
_POSITIVE = ("max_minutes", "learning_rate", "muon_learning_rate", "eps", "checkpoint_minutes")
_SHARES = ("decay_fraction", "min_lr_ratio")


def _out_of_range(name: str, value: object, wanted: str) -> OptionError:
    return OptionError(f"{name} is {value!r}, which cannot be right.", f"It must be {wanted}.")
