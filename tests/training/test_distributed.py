"""Several processes compute what one does. They talk over the loopback interface only.

The guard against network use is a hook of the test process; the processes that `torchrun` starts
are others, without it, so nothing has to be opened for them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, losses, new_model

ROOT = Path(__file__).parents[2]
WAYS = ("replicas", "parts", "replicas-from-one", "parts-from-one")


def _train_alone(folder: Path, **changes: object) -> None:
    settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]
    list(Trainer(new_model(), ToyBatches(), settings, folder, held_out=ToyBatches(4)).run())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of runs by two processes, and of one by this process alone."""
    folder = tmp_path_factory.mktemp("runs")
    _train_alone(folder / "alone", checkpoint_steps=4, keep=9)
    for name in ("replicas-from-one", "parts-from-one"):
        checkpoint = folder / "alone" / "checkpoints" / "step-00000004"
        shutil.copytree(checkpoint, folder / name / "checkpoints" / checkpoint.name)
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--local-addr=127.0.0.1", "--nproc-per-node=2"]
    command += ["-m", "tests.training.distributed_job", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, timeout=110, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's loopback differs on Windows")
class TestTwoProcesses:
    @pytest.mark.parametrize("way", WAYS)
    def test_losses_are_those_of_one_process(self, runs: Path, way: str) -> None:
        expected = losses(runs / "alone")
        got = losses(runs / way)
        np.testing.assert_allclose(got, expected[-len(got) :], rtol=0, atol=1e-4)
        assert len(got) == (4 if "from-one" in way else 8)

    def test_one_process_goes_on_from_the_parts_of_two(self, runs: Path) -> None:
        folder = runs / "one-from-parts"
        (checkpoint,) = (folder / "checkpoints").iterdir()
        assert len(list(checkpoint.glob("*.safetensors"))) == 2
        _train_alone(folder)
        np.testing.assert_allclose(losses(folder), losses(runs / "alone")[4:], rtol=0, atol=1e-4)

    def test_half_precision_in_parts_stays_near_and_comes_back_whole(self, runs: Path) -> None:
        np.testing.assert_allclose(losses(runs / "bf16"), losses(runs / "alone"), rtol=0.03)
        weights = torch.load(runs / "weights.pt", weights_only=True)
        expected = {name: (p.shape, torch.float32) for name, p in new_model().named_parameters()}
        assert {name: (p.shape, p.dtype) for name, p in weights.items()} == expected
