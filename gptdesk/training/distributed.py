"""Training in several processes that `torchrun` started: replicas (DDP) or parts (FSDP2)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from gptdesk.errors import TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.training.precision import LossModule
from gptdesk.training.settings import TrainerSettings
from gptdesk.training.torchrun import is_one_of_several


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that train together, seen from one of them.

    Attributes:
        rank: number of this process, from 0.
        world: how many there are.
        device: where this one computes.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this one writes files and tells events."""
        return self.rank == 0

    def sums(self, numbers: Sequence[float]) -> list[float]:
        """Each number summed over all processes, the same in all of them."""
        if self.world == 1:
            return list(numbers)
        values = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        dist.all_reduce(values)
        return values.tolist()

    def wait(self) -> None:
        """Until all processes are here."""
        self.sums([0.0])


def alone(device: str = "cpu") -> Processes:
    """One process that trains by itself."""
    return Processes(0, 1, torch.device(device))


@contextlib.contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the other processes that `torchrun` started, if it started this one.

    Args:
        device: "cpu", "cuda" or "cuda:1"; on several processes each takes the GPU of its number.
    """
    if not is_one_of_several():
        yield alone(device)
        return
    own = torch.device(device)
    if own.type == "cuda":
        own = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if own.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), own)
    finally:
        dist.destroy_process_group()


def spread(gpt: GPT, settings: TrainerSettings, processes: Processes) -> nn.Module:
    """The module whose call gives the summed loss of this process's rows.

    Gradients become the MEAN over the processes.

    Raises:
        TrainingError: the optimiser cannot work on parts of matrices.
    """
    if processes.world > 1 and settings.sharding == "shard":
        if settings.optimizer == "muon":
            raise TrainingError(
                "Muon needs whole matrices, and the model is cut into parts.",
                'Set optimizer to "adamw", or sharding to "replicate".',
            )
        return _sharded(gpt, settings, processes)
    module = LossModule(gpt, settings)
    if settings.compile:
        module.compile()
    return module if processes.world == 1 else DistributedDataParallel(module)


def _sharded(gpt: GPT, settings: TrainerSettings, processes: Processes) -> nn.Module:
    mesh = init_device_mesh(processes.device.type, (processes.world,))
    policy = MixedPrecisionPolicy()
    if settings.precision == "bf16":
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
    for block in gpt.model.layers:
        if settings.compile:
            block.compile()
        fully_shard(block, mesh=mesh, mp_policy=policy)
    module = LossModule(gpt, settings, casts=False)
    fully_shard(module, mesh=mesh, mp_policy=policy)
    return module


@contextlib.contextmanager
def local_gradients(module: nn.Module, *, local: bool) -> Iterator[None]:
    """Gradients of the backward passes inside stay in their process while `local`."""
    if isinstance(module, DistributedDataParallel):
        with module.no_sync() if local else contextlib.nullcontext():
            yield
        return
    if isinstance(module, FSDPModule):
        module.set_requires_gradient_sync(not local)
    yield


def release(module: nn.Module) -> None:
    """Let each process hold its part alone again, after forward passes without a backward one.

    Until then parameters would be whole, and in the precision of the passes.
    """
    if isinstance(module, FSDPModule):
        module.reshard()


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be cut into parts; every process must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
