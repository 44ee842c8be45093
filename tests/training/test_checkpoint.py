"""Checkpoints are whole or absent, and the last good one survives everything."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gptdesk.errors import TrainingError
from gptdesk.training.checkpoint import TENSOR_FILE, CheckpointStore, DamagedCheckpoint
from gptdesk.training.distributed import alone
from gptdesk.training.events import CheckpointSaved, StepDone, TrainingFinished, TrainingWarning
from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, losses, new_model

ROOT = Path(__file__).parents[2]
TENSORS = {"weight/a": torch.arange(6.0).reshape(2, 3), "exp_avg/a": torch.ones(2, 3)}


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "checkpoints", 2, alone())


@contextlib.contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Every write beyond `size` bytes of a file fails, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_saved_comes_back(store: CheckpointStore) -> None:
    path = store.save(3, TENSORS, {"seconds": 1.5})
    assert path.name == "step-00000003"
    into = {key: torch.zeros_like(tensor) for key, tensor in TENSORS.items()}
    store.read_tensors(3, into)
    torch.testing.assert_close(into, TENSORS)
    assert store.read_state(3) == {"seconds": 1.5}


def test_the_newest_are_kept(store: CheckpointStore) -> None:
    for step in (1, 2, 10):
        store.save(step, TENSORS, {})
    assert store.steps() == [2, 10]
    assert sorted(path.name for path in store.folder.iterdir()) == [
        "step-00000002",
        "step-00000010",
    ]
    assert store.newest().endswith("step-00000010")


def test_leftovers_of_a_kill_are_no_checkpoints_and_are_removed(store: CheckpointStore) -> None:
    store.save(1, TENSORS, {})
    for name in (".step-00000002.tmp", ".step-00000001.removed"):
        (store.folder / name).mkdir()
    assert store.steps() == [1]
    store.clean()
    assert [path.name for path in store.folder.iterdir()] == ["step-00000001"]


@pytest.mark.parametrize("damage", ["cut", "missing", "no state", "shape", "text"])
def test_damage_is_noticed_before_anything_is_copied(store: CheckpointStore, damage: str) -> None:
    folder = store.save(1, TENSORS, {})
    into = {key: torch.zeros_like(tensor) for key, tensor in TENSORS.items()}
    if damage == "cut":
        data = (folder / TENSOR_FILE).read_bytes()
        (folder / TENSOR_FILE).write_bytes(data[:-5])
    elif damage == "missing":
        (folder / TENSOR_FILE).unlink()
    elif damage == "shape":
        into["exp_avg/a"] = torch.zeros(3, 2)
    elif damage == "text":
        (folder / "state.json").write_text("{")
    else:
        (folder / "state.json").unlink()
    if damage in ("text", "no state"):
        with pytest.raises(DamagedCheckpoint):
            store.read_state(1)
        return
    with pytest.raises(DamagedCheckpoint):
        store.read_tensors(1, into)
    assert not any(tensor.any() for tensor in into.values())


def test_a_full_disk_leaves_the_checkpoint_before_it(store: CheckpointStore) -> None:
    store.save(1, TENSORS, {})
    big = {"weight/a": torch.zeros(100_000)}
    with files_limited_to(50_000), pytest.raises(TrainingError, match="step 2 cannot be written"):
        store.save(2, big, {})
    assert [path.name for path in store.folder.iterdir()] == ["step-00000001"]
    store.save(2, big, {})


def test_a_full_disk_in_the_middle_of_a_run_is_a_warning(tmp_path: Path) -> None:
    events = []
    trainer = Trainer(
        new_model(), ToyBatches(), replace(SETTINGS, checkpoint_steps=2), tmp_path
    ).run()
    with contextlib.ExitStack() as stack:
        for event in trainer:
            events.append(event)
            if isinstance(event, StepDone) and event.step == 3:
                stack.enter_context(files_limited_to(30_000))
            if isinstance(event, StepDone) and event.step == 5:
                stack.close()
    (warning,) = (event for event in events if isinstance(event, TrainingWarning))
    assert "step 4" in warning.message
    assert [e.step for e in events if isinstance(e, CheckpointSaved)] == [2, 6, 8]


def test_a_full_disk_at_the_end_is_an_error_and_the_run_can_go_on(tmp_path: Path) -> None:
    settings = replace(SETTINGS, checkpoint_steps=6)
    trainer = Trainer(new_model(), ToyBatches(), settings, tmp_path).run()
    while not (isinstance(event := next(trainer), StepDone) and event.step == 8):
        pass
    with files_limited_to(30_000), pytest.raises(TrainingError, match="step 8"):
        next(trainer)
    last = list(Trainer(new_model(), ToyBatches(), settings, tmp_path).run())[-1]
    assert isinstance(last, TrainingFinished)
    assert last.step == 8


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    settings = replace(SETTINGS, checkpoint_steps=3, keep=5)
    list(Trainer(new_model(), ToyBatches(), settings, tmp_path).run())
    expected = losses(tmp_path)
    for step in (6, 8):
        (tmp_path / "checkpoints" / f"step-{step:08}" / TENSOR_FILE).write_bytes(b"\0" * 100)
    events = list(Trainer(new_model(seed=2), ToyBatches(), settings, tmp_path).run())
    warnings = [event.message for event in events if isinstance(event, TrainingWarning)]
    assert ["step 8" in warnings[0], "step 6" in warnings[1]] == [True, True]
    np.testing.assert_allclose(losses(tmp_path), expected, rtol=0, atol=1e-6)


CHILD = """
import json, sys
from dataclasses import replace
from pathlib import Path
import torch
from gptdesk.training.events import StepDone
from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, new_model
torch.set_num_threads(1)
settings = replace(SETTINGS, max_steps=60, checkpoint_steps=1)
for event in Trainer(new_model(), ToyBatches(), settings, Path(sys.argv[1])).run():
    if isinstance(event, StepDone):
        print(event.step, flush=True)
"""


def test_a_run_that_was_killed_goes_on_to_the_same_losses(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    settings = replace(SETTINGS, max_steps=60)
    list(Trainer(new_model(), ToyBatches(), settings, tmp_path / "whole").run())
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path / "killed")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            if int(line) >= 13:  # it saves at every step, so the kill falls into a save
                child.send_signal(signal.SIGKILL)
                break
    child.wait()
    resumed = Trainer(new_model(seed=5), ToyBatches(), settings, tmp_path / "killed")
    events = list(resumed.run())
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert 12 <= steps[0] <= 58
    np.testing.assert_allclose(
        losses(tmp_path / "killed"), losses(tmp_path / "whole"), rtol=0, atol=1e-6
    )
    assert len(json.dumps(losses(tmp_path / "killed"))) > 60
    torch.set_num_threads(before)
