"""The random weights that a GPT starts from."""

from __future__ import annotations

import math

import torch
from torch import nn

from gptdesk.model.gpt import GPT

STANDARD_DEVIATION = 0.02

# What writes into the residual stream: the sum over all layers should not grow with their number.
_WRITERS = ("o_proj.weight", "down_proj.weight")


def initialise(gpt: GPT, seed: int) -> None:
    """Draw normal matrices as GPT-2 did; biases become 0, norms stay as they are built.

    Args:
        gpt: on any device; the numbers are drawn on the CPU, the same everywhere.
        seed: of the numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    writer_deviation = STANDARD_DEVIATION / math.sqrt(2 * gpt.config.num_layers)
    with torch.no_grad():
        for name, weight in gpt.named_parameters():
            if weight.ndim == 2:
                deviation = writer_deviation if name.endswith(_WRITERS) else STANDARD_DEVIATION
                numbers = torch.empty(weight.shape)
                weight.copy_(nn.init.normal_(numbers, std=deviation, generator=generator))
            elif name.endswith(".bias"):
                weight.zero_()
