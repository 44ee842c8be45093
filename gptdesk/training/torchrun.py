"""What `torchrun` tells the processes that it starts; no torch."""

from __future__ import annotations

import os

_VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR")


def is_one_of_several() -> bool:
    """Whether `torchrun` started this process. Schedulers of clusters, too, set one or the other."""
    return all(name in os.environ for name in _VARIABLES)


def process_number() -> int:
    """This process's among those of `torchrun`, from 0; 0 for one that trains alone."""
    return int(os.environ["RANK"]) if is_one_of_several() else 0
