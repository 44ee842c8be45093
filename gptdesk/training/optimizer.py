"""The optimisers of a run, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from gptdesk.errors import TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.training.settings import TrainerSettings

_ADAM_STATE = ("exp_avg", "exp_avg_sq")
_MUON_STATE = ("momentum_buffer",)


class Optimizers:
    """AdamW for all trained parameters, or for those beside Muon that are no matrices of blocks.

    Only matrices decay. Embeddings do not: rows of rare ids would shrink to nothing between two
    of their gradients.
    """

    def __init__(self, gpt: GPT, settings: TrainerSettings) -> None:
        self._names = {p: name for name, p in gpt.named_parameters() if p.requires_grad}
        matrices = [p for p, name in self._names.items() if p.ndim == 2 and "embed" not in name]
        rest = [p for p in self._names if all(p is not matrix for matrix in matrices)]
        self._optimizers: list[torch.optim.Optimizer] = []
        if settings.optimizer == "muon":
            # An output projection of its own is a table of tokens, as the embedding is.
            inner = [p for p in matrices if ".layers." in self._names[p]]
            self._add_muon(inner, settings)
            matrices = [p for p in matrices if ".layers." not in self._names[p]]
        self._add_adam(matrices, rest, settings)
        self._set_up_state()

    def step(self, factor: float) -> None:
        """Make one step at this share of the peak learning rates, and drop the gradients."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def drop_gradients(self) -> None:
        """Forget what backward passes left."""
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """The state's tensors themselves, by "field/parameter"; counters of steps left out."""
        return {
            f"{field}/{self._names[p]}": state[field]
            for p, state, fields in self._states()
            for field in fields
        }

    def set_steps(self, steps: int) -> None:
        """Count that many steps as made, after `state` was filled from a checkpoint."""
        for _, state, _ in self._states():
            if "step" in state:
                state["step"].fill_(float(steps))

    def _add_adam(
        self, matrices: list[nn.Parameter], rest: list[nn.Parameter], settings: TrainerSettings
    ) -> None:
        groups = [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=settings.learning_rate,
            betas=settings.betas,
            eps=settings.eps,
            fused=True,
        )
        self._add(optimizer, settings.learning_rate)

    def _add_muon(self, matrices: list[nn.Parameter], settings: TrainerSettings) -> None:
        muon: Any = getattr(torch.optim, "Muon", None)
        if muon is None:
            raise TrainingError(
                f"torch {torch.__version__} has no Muon optimiser.",
                'Install torch 2.9 or later, or set optimizer to "adamw".',
            )
        optimizer = muon(
            matrices,
            lr=settings.muon_learning_rate,
            weight_decay=settings.weight_decay,
            # Updates of the size that AdamW's have, so that its usual rates fit (arXiv:2502.16982).
            adjust_lr_fn="match_rms_adamw",
        )
        self._add(optimizer, settings.muon_learning_rate)

    def _add(self, optimizer: torch.optim.Optimizer, peak: float) -> None:
        for group in optimizer.param_groups:
            group["peak"] = peak
        self._optimizers.append(optimizer)

    def _set_up_state(self) -> None:
        """Make all state now: memory runs out before the run or never, and loading has a target."""
        for optimizer in self._optimizers:
            adam = isinstance(optimizer, torch.optim.AdamW)
            for group in optimizer.param_groups:
                for p in group["params"]:
                    state = optimizer.state[p]
                    for field in _ADAM_STATE if adam else _MUON_STATE:
                        state[field] = torch.zeros_like(p, memory_format=torch.preserve_format)
                    if adam:
                        state["step"] = torch.zeros((), dtype=torch.float32, device=p.device)

    def _states(self) -> Iterator[tuple[nn.Parameter, dict[str, Any], tuple[str, ...]]]:
        for optimizer in self._optimizers:
            fields = _ADAM_STATE if isinstance(optimizer, torch.optim.AdamW) else _MUON_STATE
            for group in optimizer.param_groups:
                for p in group["params"]:
                    yield p, optimizer.state[p], fields
