"""The real command, killed without warning: what it makes is what it would have made."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gptdesk.cli.main import main
from tests.training import corpus
from tests.training.toy import losses

STEPS, KILLED_AFTER = 40, 14

CONFIG = f"""
[data]
train = ["texts"]
[tokenizer]
vocab_size = 400
[model]
hidden_size = 16
num_layers = 2
head_dim = 4
context_length = 64
[schedule]
max_steps = {STEPS}
[run]
out = "model"
seed = 7
batch_tokens = 256
log_steps = 1
checkpoint_steps = 1
threads = 1
"""


def prepared(folder: Path) -> Path:
    corpus.write_folder(folder / "texts", 30)
    (folder / "train.toml").write_text(CONFIG, "utf-8")
    return folder / "train.toml"


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_run_ends_in_the_very_same_model(tmp_path: Path) -> None:
    whole, killed = prepared(tmp_path / "whole"), prepared(tmp_path / "killed")
    command = [sys.executable, "-m", "gptdesk", "train", str(killed), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("step", 0) >= KILLED_AFTER:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert not (killed.parent / "model").exists()
    for path in (killed, whole):
        assert main(["train", str(path), "--quiet"]) == 0
    ours, wanted = (losses(path.parent / "model.work" / "pretrain") for path in (killed, whole))
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-6)
    assert len(wanted) == STEPS
    # Equal seeds, equal weights, in this process and in the one that was killed.
    weights = [
        (path.parent / "model" / "model.safetensors").read_bytes() for path in (killed, whole)
    ]
    assert weights[0] == weights[1]
