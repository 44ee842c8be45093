"""The module that is trained: a GPT and its loss, computed in the precision asked for."""

from __future__ import annotations

import contextlib
from typing import cast

import torch
from torch import Tensor, nn

from gptdesk.model.gpt import GPT
from gptdesk.training.loss import cross_entropy_sum
from gptdesk.training.settings import Precision, TrainerSettings


class LossModule(nn.Module):
    """Sum of the loss over a batch. Wrappers for several processes go around it.

    Attributes:
        gpt: the model; its trained parameters are float32 whatever the precision.
        casts: in bf16 the parameters are rounded anew in each pass. Autograd then leaves float32
            gradients at float32 parameters: they are the master weights, and neither optimiser
            nor checkpoints know of any other. FSDP does the rounding itself.
    """

    def __init__(self, gpt: GPT, settings: TrainerSettings, *, casts: bool = True) -> None:
        super().__init__()
        self.body = _Body(gpt, settings.precision, settings.loss_chunk)
        self.casts = casts and settings.precision == "bf16"
        # A weight that is not trained is rounded once. Not a buffer: it belongs to no checkpoint.
        self._frozen = {
            name: p.detach().to(torch.bfloat16)
            for name, p in self.body.named_parameters()
            if self.casts and not p.requires_grad
        }

    @property
    def gpt(self) -> GPT:
        """The model itself."""
        return self.body.gpt

    def forward(self, inputs: Tensor, targets: Tensor, segments: Tensor | None) -> Tensor:
        """Sum of -log p(target) in nats over the targets that count.

        Args:
            inputs, targets: (B, T) ids.
            segments: (B, T) document of each token; None where attention may cross documents.
        """
        if not self.casts:
            return cast("Tensor", self.body(inputs, targets, segments))
        weights = {
            name: p.to(torch.bfloat16)
            for name, p in self.body.named_parameters()
            if p.requires_grad
        }
        result = torch.func.functional_call(
            self.body, weights | self._frozen, (inputs, targets, segments)
        )
        return cast("Tensor", result)


class _Body(nn.Module):
    def __init__(self, gpt: GPT, precision: Precision, chunk: int | None) -> None:
        super().__init__()
        self.gpt = gpt
        self._precision = precision
        self._chunk = chunk

    def forward(self, inputs: Tensor, targets: Tensor, segments: Tensor | None) -> Tensor:
        with self._autocast(inputs.device):
            hidden = self.gpt.model(inputs, None, segments)  # (B, T, hidden_size)
            if self._precision != "fp32":
                hidden = hidden.to(torch.bfloat16)
            return cross_entropy_sum(self.gpt, hidden, targets, self._chunk)

    def _autocast(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        if self._precision == "autocast":
            return torch.autocast(device.type, dtype=torch.bfloat16)
        return contextlib.nullcontext()
