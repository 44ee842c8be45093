"""One optimiser step, and one measurement, over the micro-batches of all processes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gptdesk.cancel import CancelFlag
from gptdesk.model.gpt import GPT
from gptdesk.training.batches import IGNORED, Batches
from gptdesk.training.distributed import Processes, local_gradients, release, spread, whole
from gptdesk.training.micro_batches import MicroBatch, cut
from gptdesk.training.optimizer import Optimizers
from gptdesk.training.settings import TrainerSettings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step gave.

    Attributes:
        loss: mean over all targets, in nats.
        grad_norm: before clipping.
    """

    loss: float
    grad_norm: float

    @property
    def is_good(self) -> bool:
        """Whether both are numbers; otherwise the step changed nothing."""
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


class Stepper:
    """Holds a model ready for training, with its optimisers.

    Args:
        gpt: changed in place: moved to the device, trained weights to float32, wrapped for several
            processes.
        settings: precision, optimiser and size of micro-batches.
        processes: that make each step together.
        cancel: polled between micro-batches when this process trains alone.
    """

    def __init__(
        self, gpt: GPT, settings: TrainerSettings, processes: Processes, cancel: CancelFlag
    ) -> None:
        self._gpt = gpt.to(processes.device)
        self._settings = settings
        self._processes = processes
        self._cancel = cancel
        for p in self.parameters().values():
            p.data = p.data.float()
        self._module = spread(gpt, settings, processes)
        self._optimizers = Optimizers(gpt, settings)

    def parameters(self) -> dict[str, nn.Parameter]:
        """The trained parameters by name; this process's parts, where they are cut."""
        return {name: p for name, p in self._gpt.named_parameters() if p.requires_grad}

    def tensors(self) -> dict[str, Tensor]:
        """Weights and state of the optimiser themselves, to be saved or to be filled."""
        weights = {f"weight/{name}": p.detach() for name, p in self.parameters().items()}
        return weights | self._optimizers.state()

    def go_on_from(self, steps: int) -> None:
        """Count that many steps as made, after `tensors` were filled."""
        self._optimizers.set_steps(steps)

    def make(self, batches: Batches, step: int, factor: float) -> Outcome | None:
        """Make one optimiser step; None, and nothing done, when cancelled in the middle.

        Args:
            batches: gives the rows of this step.
            step: its number, from 0; the random numbers of dropout depend on it alone.
            factor: share of the peak learning rates.
        """
        world = self._processes.world
        pieces, targets = self._pieces(batches, step)
        self._module.train()
        total = torch.zeros((), device=self._processes.device)
        with self._random_numbers_of(step):
            for number, piece in enumerate(pieces, 1):
                if world == 1 and self._cancel.is_set():
                    self._optimizers.drop_gradients()
                    return None
                with local_gradients(self._module, local=number < len(pieces)):
                    # Several processes average their gradients; the mean is over all targets.
                    loss = self._loss(piece) * (world / max(targets, 1.0))
                    loss.backward()  # type: ignore[no-untyped-call]
                total += loss.detach()
        (summed,) = self._processes.sums([float(total)])
        outcome = Outcome(summed / world, self._clip())
        if outcome.is_good:
            self._optimizers.step(factor)
        return outcome

    @torch.no_grad()
    def measure(self, batches: Batches, rows: int) -> float:
        """Mean loss per target over the first `rows` rows, in nats."""
        self._module.eval()
        total = counted = 0.0
        for step in range(-(-rows // batches.global_rows)):
            pieces, targets = self._pieces(batches, step)
            total += float(sum(self._loss(piece) for piece in pieces))
            counted += targets
        release(self._module)
        (total,) = self._processes.sums([total])
        return total / max(counted, 1.0)

    def _pieces(self, batches: Batches, step: int) -> tuple[list[MicroBatch], float]:
        """Micro-batches of this process, and how many targets those of all processes have."""
        rank, world = self._processes.rank, self._processes.world
        batch = batches.batch(step, rank, world)
        (targets,) = self._processes.sums([float((batch.targets != IGNORED).sum())])
        most_rows = -(-batches.global_rows // world)
        masked = self._settings.mask_documents
        return cut(batch, most_rows, self._settings.micro_rows, segments=masked), targets

    def _loss(self, piece: MicroBatch) -> Tensor:
        device = self._processes.device
        segments = None if piece.segments is None else piece.segments.to(device)
        loss: Tensor = self._module(piece.inputs.to(device), piece.targets.to(device), segments)
        return loss

    def _clip(self) -> float:
        largest = self._settings.grad_clip or math.inf
        norm = nn.utils.clip_grad_norm_(list(self.parameters().values()), largest)
        return float(whole(norm))

    @contextlib.contextmanager
    def _random_numbers_of(self, step: int) -> Iterator[None]:
        """Dropout as a function of the step; the caller's random numbers stay as they were."""
        device = self._processes.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            seed = np.random.SeedSequence((self._settings.seed, step, self._processes.rank))
            torch.manual_seed(int(seed.generate_state(1)[0]))
            yield
