"""The real command by two processes, from text to a model, and what decides that there are two."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gptdesk.cli.main import main
from gptdesk.training.torchrun import process_number
from tests.training.test_killed_command import prepared
from tests.training.toy import losses

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="gloo's loopback differs on Windows")
def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    alone, both = prepared(tmp_path / "alone"), prepared(tmp_path / "both")
    for path in (alone, both):  # its last table is [run]
        path.write_text(f'{path.read_text("utf-8")}precision = "fp32"\n', "utf-8")
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--local-addr=127.0.0.1", "--nproc-per-node=2"]
    command += ["-m", "gptdesk", "train", str(both), "--quiet"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, timeout=110, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert main(["train", str(alone), "--quiet"]) == 0
    ours, wanted = (losses(path.parent / "model.work" / "pretrain") for path in (both, alone))
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-4)
    assert (both.parent / "model" / "model.safetensors").is_file()


def test_a_number_from_a_scheduler_alone_means_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RANK", "3")
    assert process_number() == 0
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    assert process_number() == 3
