"""What each of several processes does in test_distributed.py: trains the toy model in some ways.

torchrun … -m tests.training.distributed_job FOLDER
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gptdesk.training.distributed import Processes, joined
from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, new_model


def train(folder: Path, processes: Processes, **changes: Any) -> dict[str, torch.Tensor]:
    settings = replace(SETTINGS, **changes)
    trainer = Trainer(
        new_model(), ToyBatches(), settings, folder, processes=processes, held_out=ToyBatches(4)
    )
    events = list(trainer.run())
    assert len(events) == 1 or processes.is_first
    return trainer.weights()


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    with joined("cpu") as processes:
        for name, sharding in (("replicas", "replicate"), ("parts", "shard")):
            train(folder / name, processes, sharding=sharding, checkpoint_steps=4, keep=9)
            # One process trained this folder up to step 4; several go on.
            train(folder / f"{name}-from-one", processes, sharding=sharding)
        weights = train(
            folder / "bf16", processes, sharding="shard", precision="bf16", eval_steps=3
        )
        if processes.is_first:
            torch.save(weights, folder / "weights.pt")
            # Step 4 of the parts, for one process to go on from.
            source = folder / "parts" / "checkpoints" / "step-00000004"
            shutil.copytree(source, folder / "one-from-parts" / "checkpoints" / source.name)


if __name__ == "__main__":
    main()
