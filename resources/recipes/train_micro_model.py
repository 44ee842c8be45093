"""Train the bundled micro-model from the corpora to a folder that gptdesk and transformers load.

    python resources/recipes/train_micro_model.py --data DATA --work WORK --out OUT --max-minutes 50

Prepares the tokenizer and the packed rows (once per WORK), trains with the learning rate and the
mixture following the clock, and writes OUT. Started again, it goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from micro_corpus import PROMPT, SCORED, build_groups, train_tokenizer
from micro_release import write_release
from micro_score import DevSet, build_dev_sets
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT

BASE_SHAPE = ModelConfig(
    architecture="llama",
    vocab_size=8192,
    context_length=512,
    num_layers=4,
    hidden_size=256,
    num_heads=4,
    num_kv_heads=2,
    head_dim=64,
    intermediate_size=640,
    tied_embeddings=True,
)

# Rows per forward and backward pass, and per block of logits.
MICRO_ROWS, LOSS_ROWS = 4, 2


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result besides data, seed and shape.

    Attributes:
        batch_rows: rows of context_length tokens per step; a multiple of MICRO_ROWS.
        adam_rate, muon_rate: peak learning rates of vectors and embedding, and of matrices.
        weight_decay: of matrices only.
        warmup, decay_from: shares of the time: the rate rises to its peak until the one and
            falls to zero after the other.
        mixture: share of each group before and after `decay_from`.
        prompt_weight: weight of a task's text in the loss before and after `decay_from`.
    """

    batch_rows: int = 16
    adam_rate: float = 3e-3
    muon_rate: float = 6e-3
    weight_decay: float = 0.05
    clip: float = 1.0
    warmup: float = 0.02
    decay_from: float = 0.6
    mixture: tuple[dict[str, float], dict[str, float]] = field(
        default=(
            {"prose_en": 0.30, "prose_zh": 0.30, "translate": 0.22, "summarize": 0.18},
            {"prose_en": 0.22, "prose_zh": 0.22, "translate": 0.34, "summarize": 0.22},
        )
    )
    prompt_weight: tuple[float, float] = (1.0, 1.0)

    def late(self, progress: float) -> bool:
        """Whether the second mixture is in use after this share of the time."""
        return progress >= self.decay_from

    def rate(self, progress: float) -> float:
        """Factor of the learning rates after this share of the time: rise, stay, fall."""
        if progress < self.warmup:
            return max(progress, 0.002) / self.warmup
        if progress < self.decay_from:
            return 1.0
        return max(0.0, (1.0 - progress) / (1.0 - self.decay_from))


class Group:
    """Packed rows of one kind of example, drawn in random order, again and again."""

    def __init__(self, tokens: NDArray[np.uint16], kinds: NDArray[np.uint8], seed: int) -> None:
        self.tokens, self.kinds = tokens, kinds
        self._seed = seed
        self.drawn = 0

    def draw(self, count: int) -> list[int]:
        """Indices of the next `count` rows; `drawn` alone is needed to go on after a restart."""
        rows = len(self.tokens)
        indices = []
        for number in range(self.drawn, self.drawn + count):
            epoch, position = divmod(number, rows)
            if position == 0 or not hasattr(self, "_order"):
                self._order = np.random.default_rng((self._seed, epoch)).permutation(rows)
            indices.append(int(self._order[position]))
        self.drawn += count
        return indices


class Batches:
    """Draws batches from the groups in the shares of a mixture."""

    def __init__(self, groups: dict[str, Group], seed: int) -> None:
        self.groups = groups
        self.seed = seed

    def batch(
        self, step: int, rows: int, mixture: dict[str, float], prompt_weight: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Ids (rows, T), the ids to predict (rows, T) and their weights in the loss (rows, T)."""
        rng = np.random.default_rng((self.seed, step))
        names = list(mixture)
        counts = rng.multinomial(rows, [mixture[name] for name in names])
        tokens, kinds = [], []
        for name, count in zip(names, counts, strict=True):
            group = self.groups[name]
            indices = group.draw(int(count))
            tokens.append(group.tokens[indices])
            kinds.append(group.kinds[indices])
        ids = torch.from_numpy(np.concatenate(tokens).astype(np.int64))  # (rows, T + 1)
        kind = torch.from_numpy(np.concatenate(kinds))[:, 1:]  # (rows, T)
        weights = (kind == SCORED).float() + prompt_weight * (kind == PROMPT).float()
        return ids[:, :-1], ids[:, 1:], weights


def initialise(model: GPT) -> None:
    """Normal weights of 0.02, smaller where a matrix writes into the residual stream."""
    smaller = 0.02 / math.sqrt(2 * model.config.num_layers)
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            writes = name.endswith(("o_proj.weight", "down_proj.weight"))
            nn.init.normal_(weight, std=smaller if writes else 0.02)


def make_optimizers(model: GPT, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for the embedding and the norms.

    Each group keeps its peak rate in `peak`; the schedule scales it.
    """
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, weight in model.named_parameters():
        (matrices if weight.ndim == 2 and "embed" not in name else rest).append(weight)
    muon = torch.optim.Muon(
        matrices,
        lr=recipe.muon_rate,
        weight_decay=recipe.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    adam = torch.optim.AdamW(rest, lr=recipe.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
    for optimizer in (muon, adam):
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return [muon, adam]


def loss_sum(model: GPT, ids: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of the cross-entropy in nats; all arguments (B, T).

    The logits are made for LOSS_ROWS rows at a time: all at once they fall out of the caches,
    and the output layer takes more than twice as long.
    """
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model.model(ids, None)  # (B, T, hidden_size)
    total = hidden.new_zeros((), dtype=torch.float32)
    for part, wanted, weight in zip(
        hidden.split(LOSS_ROWS), targets.split(LOSS_ROWS), weights.split(LOSS_ROWS), strict=True
    ):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model.lm_head(part)  # (LOSS_ROWS, T, vocab_size)
        losses = F.cross_entropy(logits.flatten(0, 1).float(), wanted.flatten(), reduction="none")
        total = total + (losses * weight.flatten()).sum()
    return total


class Training:
    """State of one run: model, optimizers and clock; saved and restored as one file."""

    def __init__(
        self, shape: ModelConfig, recipe: Recipe, batches: Batches, compiled: bool
    ) -> None:
        self.model = GPT(shape)
        self.recipe, self.batches = recipe, batches
        initialise(self.model)
        self.optimizers = make_optimizers(self.model, recipe)
        self.loss = torch.compile(loss_sum) if compiled else loss_sum
        self.step, self.seconds, self.tokens = 0, 0.0, 0

    def advance(self, progress: float) -> float:
        """One optimizer step at this share of the time; returns the mean loss in nats."""
        late = self.recipe.late(progress)
        ids, targets, weights = self.batches.batch(
            self.step,
            self.recipe.batch_rows,
            self.recipe.mixture[late],
            self.recipe.prompt_weight[late],
        )
        self.model.train()
        total, scale = 0.0, float(weights.sum())
        parts = (tensor.split(MICRO_ROWS) for tensor in (ids, targets, weights))
        for part in zip(*parts, strict=True):
            loss = self.loss(self.model, *part) / scale
            loss.backward()
            total += float(loss.detach())
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        factor = self.recipe.rate(progress)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.tokens += ids.numel()
        return total

    def save(self, path: Path) -> None:
        """Write everything needed to go on; a kill in between leaves the old file."""
        state = {
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "clock": [self.step, self.seconds, self.tokens],
            "drawn": {name: group.drawn for name, group in self.batches.groups.items()},
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a file that `save` wrote."""
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds, self.tokens = state["clock"]
        for name, drawn in state["drawn"].items():
            self.batches.groups[name].drawn = drawn


class Log:
    """Prints records and appends them to metrics.jsonl."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, **record: object) -> None:
        """One record as a line of JSON."""
        line = json.dumps(record)
        print(line, flush=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def run(
    training: Training, dev_sets: Sequence[DevSet], work: Path, minutes: float, every: float
) -> None:
    """Train until the time is up; score and save every `every` seconds and at the end."""
    log = Log(work / "metrics.jsonl")
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        training.restore(checkpoint)
    budget, saved, recent = minutes * 60, training.seconds, []
    while training.seconds < budget:
        started = time.monotonic()
        recent.append(training.advance(training.seconds / budget))
        training.seconds += time.monotonic() - started
        if training.step % 50 == 0:
            log.write(
                step=training.step,
                minutes=round(training.seconds / 60, 2),
                tokens=training.tokens,
                tokens_per_second=round(training.tokens / training.seconds),
                loss=round(sum(recent) / len(recent), 4),
            )
            recent = []
        if training.seconds - saved > every or training.seconds >= budget:
            training.save(checkpoint)
            started = time.monotonic()
            scores = {dev.name: round(dev.bits_per_byte(training.model), 4) for dev in dev_sets}
            saved = training.seconds = training.seconds + time.monotonic() - started
            log.write(step=training.step, minutes=round(saved / 60, 2), bits_per_byte=scores)


def prepare(data: Path, work: Path, shape: ModelConfig, seed: int) -> Tokenizer:
    """Tokenizer and packed rows in `work`, made unless they are there."""
    tokenizer_file = work / "tokenizer.json"
    if not tokenizer_file.exists():
        train_tokenizer(data, shape.vocab_size, seed).save(str(tokenizer_file))
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    if not (work / "rows.done").exists():
        for name, tokens, kinds in build_groups(data, tokenizer, shape.context_length, seed):
            np.save(work / f"{name}.tokens.npy", tokens)
            np.save(work / f"{name}.kinds.npy", kinds)
            print(f"{name}: {len(tokens)} rows", flush=True)
        (work / "rows.done").touch()
    return tokenizer


def load_groups(work: Path, seed: int) -> dict[str, Group]:
    """The packed rows that `prepare` left, mapped rather than read."""
    groups = {}
    for path in sorted(work.glob("*.tokens.npy")):
        name = path.name.removesuffix(".tokens.npy")
        kinds = np.load(work / f"{name}.kinds.npy", mmap_mode="r")
        groups[name] = Group(np.load(path, mmap_mode="r"), kinds, seed)
    return groups


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--work", type=Path, required=True, help="scratch folder, kept for resume")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--max-minutes", type=float, default=50.0)
    parser.add_argument("--every", type=float, default=180.0, help="seconds between checkpoints")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-compile", action="store_true", help="skip torch.compile")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    tokenizer = prepare(options.data, options.work, BASE_SHAPE, options.seed)
    batches = Batches(load_groups(options.work, options.seed), options.seed)
    training = Training(BASE_SHAPE, Recipe(), batches, not options.no_compile)
    dev_sets = build_dev_sets(options.data, tokenizer, BASE_SHAPE.context_length, rows=24)
    run(training, dev_sets, options.work, options.max_minutes, options.every)
    write_release(training.model, tokenizer, options.out)


if __name__ == "__main__":
    main()
