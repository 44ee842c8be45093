"""One way to make training steps, timed step by step in a process of its own.

    python -m gptdesk.training.speed '{"shape": "13.8M", "kind": "plain"}'

Reads a line for each step it shall make and answers with its seconds. A process of its own because what frees memory, how many threads
spin and what was compiled belong to a process, and so that two ways can take turns.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gptdesk.cancel import NEVER
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.training.allocation import keeping_freed_memory
from gptdesk.training.batches import Batch
from gptdesk.training.distributed import alone
from gptdesk.training.initialise import initialise
from gptdesk.training.precision import LossModule
from gptdesk.training.settings import Precision, TrainerSettings
from gptdesk.training.step import Stepper

ROWS, CONTEXT = 16, 256
RATE = 1e-3


def _shape(hidden: int, layers: int, vocab: int, inner: int, *, tied: bool) -> ModelConfig:
    return ModelConfig(
        architecture="llama",
        vocab_size=vocab,
        context_length=CONTEXT,
        num_layers=layers,
        hidden_size=hidden,
        num_heads=hidden // 64,
        num_kv_heads=hidden // 64,
        head_dim=64,
        intermediate_size=inner,
        tied_embeddings=tied,
    )


SHAPES = {
    "tiny": _shape(64, 2, 512, 176, tied=True),
    "13.8M": _shape(384, 6, 8192, 1024, tied=True),
    "33M": _shape(512, 8, 16384, 1344, tied=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How steps are made.

    Attributes:
        kind: "plain" is the loop that anybody would write: autocast to bf16, fused attention,
            cross-entropy over all logits, AdamW as it comes. "trainer" is ours, whole. "steps"
            is the plain loop with the changes that follow.
        shape: key of `SHAPES`.
        keep_memory: freed memory stays with the process.
        plain_attention: two matrix products and a softmax instead of the fused kernel.
        fused_optimizer: AdamW in one pass over the weights.
        chunk: tokens whose logits are held at once; 0 for all.
        bf16: weights and activations in bf16 behind float32 master weights.
        micro_rows: rows of one forward and backward pass.
        compile: through torch.compile.
    """

    shape: str
    kind: str = "plain"
    keep_memory: bool = False
    plain_attention: bool = False
    fused_optimizer: bool = False
    chunk: int = 0
    bf16: bool = False
    micro_rows: int = ROWS
    compile: bool = False
    threads: int = 0
    device: str = "cpu"


class _RandomBatches:
    """Random ids: speed does not depend on what they mean."""

    context_length, global_rows, rows_per_epoch = CONTEXT, ROWS, ROWS
    bytes_per_token = 0.0

    def __init__(self, vocab: int) -> None:
        self._vocab = vocab

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:  # noqa: ARG002  one process
        ids = np.random.default_rng(step).integers(0, self._vocab, (ROWS, CONTEXT + 1))
        return Batch(ids[:, :-1], ids[:, 1:].copy(), np.zeros((ROWS, CONTEXT), np.int32))


def _make_step(way: Way) -> Callable[[int], object]:
    gpt = GPT(SHAPES[way.shape]).to(way.device)
    initialise(gpt, 0)
    batches = _RandomBatches(gpt.config.vocab_size)
    if way.kind == "trainer":
        stepper = Stepper(gpt, _settings(way), alone(way.device), NEVER)
        return lambda step: stepper.make(batches, step, 1.0)
    return _plain_step(way, gpt, batches)


def _settings(way: Way) -> TrainerSettings:
    return TrainerSettings(
        max_steps=1,
        learning_rate=RATE,
        micro_rows=way.micro_rows,
        precision="bf16",
        compile=way.compile,
        loss_chunk=way.chunk or None,
        mask_documents=False,
        device=way.device,
    )


def _plain_step(way: Way, gpt: GPT, batches: _RandomBatches) -> Callable[[int], object]:
    # A GPT that is not training takes the fused attention; nothing else differs, nothing drops out.
    gpt.train(way.plain_attention or way.kind == "trainer")
    fused = True if way.fused_optimizer else None
    optimizer = torch.optim.AdamW(gpt.parameters(), lr=RATE, fused=fused)
    loss_of = _loss_function(way, gpt)
    if way.compile:
        loss_of = torch.compile(loss_of)

    def step(number: int) -> float:
        batch = batches.batch(number)
        inputs, targets = (torch.from_numpy(array) for array in (batch.inputs, batch.targets))
        total = 0.0
        for ids, wanted in zip(
            torch.split(inputs.to(way.device), way.micro_rows),
            torch.split(targets.to(way.device), way.micro_rows),
            strict=True,
        ):
            loss = loss_of(ids, wanted) / targets.numel()
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(gpt.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return total

    return step


def _loss_function(way: Way, gpt: GPT) -> Callable[[Tensor, Tensor], Tensor]:
    if way.chunk or way.bf16:
        precision: Precision = "bf16" if way.bf16 else "autocast"
        chunk = way.chunk or ROWS * CONTEXT
        settings = replace(_settings(way), precision=precision, loss_chunk=chunk)
        module = LossModule(gpt, settings)
        return lambda ids, wanted: module(ids, wanted, None)

    def loss(ids: Tensor, wanted: Tensor) -> Tensor:
        with torch.autocast(ids.device.type, dtype=torch.bfloat16):
            logits = gpt(ids)
        return F.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten(), reduction="sum")

    return loss


def _answer(**data: float) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer the parent's lines: "step" with seconds, "end" with the figures of the process."""
    way = Way(**json.loads(sys.argv[1]))
    if way.threads:
        torch.set_num_threads(way.threads)
    keeps = way.keep_memory or way.kind == "trainer"
    with keeping_freed_memory() if keeps else contextlib.nullcontext():
        step = _make_step(way)
        for number, line in enumerate(sys.stdin):
            if line.strip() == "end":
                break
            start, cpu = time.perf_counter(), time.process_time()
            step(number)
            if way.device.startswith("cuda"):
                torch.cuda.synchronize()
            _answer(seconds=time.perf_counter() - start, cpu_seconds=time.process_time() - cpu)
    shape = SHAPES[way.shape]
    _answer(
        peak_bytes=_peak_bytes(way.device),
        flops_per_step=ROWS * CONTEXT * flops_per_token(shape),
        peak_flops=_peak_flops(way.device),
    )


def flops_per_token(config: ModelConfig) -> float:
    """Operations of a forward and a backward pass (Chowdhery et al. 2022, arXiv:2204.02311).

    Six for each parameter in a matrix product, and twelve for each channel of the queries and
    each token of the context.
    """
    looked_up = config.vocab_size * config.hidden_size * (0 if config.tied_embeddings else 1)
    attention = 12 * config.num_layers * config.num_heads * config.head_dim * config.context_length
    return 6 * (config.num_parameters - looked_up) + attention


def _peak_flops(device: str) -> float:
    """Dense bf16 operations per second that the maker states; 0 where unknown."""
    if not device.startswith("cuda"):
        return 0.0
    name = torch.cuda.get_device_name()
    return next((flops for part, flops in _GPU_FLOPS.items() if part in name), 0.0)


def _peak_bytes(device: str) -> float:
    if device.startswith("cuda"):
        return float(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


_GPU_FLOPS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12, "4090": 165e12}


if __name__ == "__main__":
    main()
