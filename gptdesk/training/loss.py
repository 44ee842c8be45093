"""Cross-entropy that never holds the logits of a whole batch.

A vocabulary of 16,384 makes the logits of 4,096 tokens 270 MB in float32, and as much again for
their gradient: more than the rest of a small model's step. Here a few hundred tokens' logits exist
at a time, and those alone that count: where a class is learnt that is one in a hundred.
Shapes: N tokens, D hidden size, V vocabulary.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gptdesk.model.gpt import GPT
from gptdesk.training.batches import IGNORED

# A gradient of the projection is added up for each chunk, so few large ones are faster.
_LOGITS, _FEWEST_TOKENS = 1 << 24, 64
_TINY = 1e-38  # so that the log of a probability that vanished stays a number


def cross_entropy_sum(gpt: GPT, hidden: Tensor, targets: Tensor, chunk: int | None) -> Tensor:
    """Sum of -log p(target) in nats over all targets but those that are `IGNORED`.

    Args:
        gpt: whose output projection makes the logits, in the precision of `hidden`.
        hidden: (…, D) from the decoder.
        targets: (…) ids.
        chunk: tokens whose logits are held at once; None for as many as 16 million logits are.

    Returns:
        A float32 scalar with gradients for `hidden` and for the projection.
    """
    chunk = chunk or max(_FEWEST_TOKENS, _LOGITS // gpt.config.vocab_size)
    flat, wanted = hidden.flatten(0, -2), targets.flatten()  # (N, D), (N,)
    if not torch.compiler.is_compiling():  # compiled code is made anew for every N
        counted = wanted != IGNORED
        flat, wanted = flat[counted], wanted[counted]
    if _is_plain(gpt):
        weight = gpt.lm_head.weight.to(flat.dtype)  # (V, D)
        if not torch.is_grad_enabled():
            weight = weight.detach()  # a parameter asks for its gradient even then
        return _LinearCrossEntropy.apply(flat, weight, wanted, chunk)  # type: ignore[no-any-return, no-untyped-call]
    total = flat.new_zeros((), dtype=torch.float32)
    for part, ids in zip(torch.split(flat, chunk), torch.split(wanted, chunk), strict=True):
        total = total + checkpoint(_whole, gpt, part, ids, use_reentrant=False)
    return total


def _is_plain(gpt: GPT) -> bool:
    """Whether logits are one matrix product: no bias, no adapter, nothing done to them."""
    config = gpt.config
    changed = config.logit_softcap is not None or config.logit_divisor != 1
    return type(gpt.lm_head) is nn.Linear and not config.head_bias and not changed


def _whole(gpt: GPT, hidden: Tensor, targets: Tensor) -> Tensor:
    logits = gpt.logits(hidden).float()  # (N, V)
    return F.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")


class _LinearCrossEntropy(torch.autograd.Function):
    """Projection and loss in one, whose forward pass already computes the gradients.

    They need the probabilities, which need the logits: computing all three while a chunk of them
    is in the cache saves making the logits twice, which checkpointing costs.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> Tensor:
        wants_hidden, wants_weight = ctx.needs_input_grad[:2]
        total = hidden.new_zeros((), dtype=torch.float32)
        hidden_grads: list[Tensor] = []
        weight_grad = None
        for part, ids in zip(torch.split(hidden, chunk), torch.split(targets, chunk), strict=True):
            # What does not count is left out of the narrow factors: a pass less over the logits.
            counted = (ids != IGNORED)[:, None]  # (chunk, 1)
            losses, slope = _losses_and_slope(part, weight, ids.clamp(min=0)[:, None])
            total = total + (losses * counted).sum()
            if wants_hidden:
                hidden_grads.append((slope @ weight) * counted)  # (chunk, D)
            if wants_weight:
                grad = slope.t() @ (part * counted)  # (V, D)
                # Sums of many bf16 terms are kept in float32.
                weight_grad = grad.float() if weight_grad is None else weight_grad.add_(grad)
        hidden_grad = torch.cat(hidden_grads) if wants_hidden else None
        ctx.save_for_backward(hidden_grad, weight_grad)
        ctx.weight_dtype = weight.dtype
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (scale,) = grads
        hidden_grad, weight_grad = ctx.saved_tensors
        if hidden_grad is not None:
            hidden_grad = hidden_grad * scale.to(hidden_grad.dtype)
        if weight_grad is not None:
            weight_grad = (weight_grad * scale).to(ctx.weight_dtype)
        return hidden_grad, weight_grad, None, None


def _losses_and_slope(hidden: Tensor, weight: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    """Losses of a chunk, and their derivatives by its logits.

    Args:
        hidden: (chunk, D).
        weight: (V, D).
        places: (chunk, 1) ids of the targets.

    Returns:
        float32 (chunk, 1), and (chunk, V) in the precision of `hidden`.
    """
    # Softmax computes in float32 and rounds once; logits are not needed any more behind it.
    slope = torch.softmax(hidden @ weight.t(), dim=-1)  # (chunk, V)
    probability = slope.gather(1, places)  # (chunk, 1)
    losses = -probability.float().clamp_min(_TINY).log()
    slope.scatter_(1, places, probability - 1)
    return losses, slope
