"""The loop: what it tells, how it ends, and that interrupting it changes nothing."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.errors import TrainingError
from gptdesk.model.gpt import GPT
from gptdesk.training.batches import Batch
from gptdesk.training.events import (
    CheckpointSaved,
    Evaluated,
    StepDone,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
    from_json,
    to_json,
)
from gptdesk.training.metrics import read_metrics
from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, losses, new_model

pytestmark = pytest.mark.usefixtures("one_thread")


def train(folder: Path, gpt: GPT | None = None, **changes: Any) -> list[TrainingEvent]:
    settings = replace(SETTINGS, **changes)
    return list(Trainer(gpt or new_model(), ToyBatches(), settings, folder).run())


def finished(events: list[TrainingEvent]) -> TrainingFinished:
    assert [type(event) for event in events].count(TrainingFinished) == 1
    last = events[-1]
    assert isinstance(last, TrainingFinished)
    return last


def test_the_loss_falls_and_the_events_tell_so(tmp_path: Path) -> None:
    trainer = Trainer(
        new_model(),
        ToyBatches(),
        replace(SETTINGS, max_steps=30, eval_steps=10, checkpoint_steps=20, log_steps=5),
        tmp_path,
        held_out=ToyBatches(4),
    )
    events = list(trainer.run())
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [event.step for event in steps] == [5, 10, 15, 20, 25, 30]
    assert steps[-1].loss < 0.8 * steps[0].loss
    assert steps[-1].tokens == 30 * 5 * 24
    assert steps[-1].total_steps == 30
    measured = [event for event in events if isinstance(event, Evaluated)]
    assert [event.step for event in measured] == [10, 20, 30]
    assert measured[-1].bits_per_byte == pytest.approx(measured[-1].loss / math.log(2) / 2)
    assert [e.step for e in events if isinstance(e, CheckpointSaved)] == [20, 30]
    assert finished(events).reason == "done"
    assert Path(finished(events).path).name == "step-00000030"
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    for event in events:
        assert pickle.loads(pickle.dumps(event)) == event
        assert from_json(to_json(event)) == event


def test_stopping_and_resuming_is_exact(tmp_path: Path) -> None:
    cancel = ThreadCancelFlag()
    train(tmp_path / "whole", log_steps=3)
    trainer = Trainer(
        new_model(), ToyBatches(), replace(SETTINGS, log_steps=3), tmp_path / "parts", cancel
    )
    events = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, StepDone):
            cancel.set()
    assert finished(events).reason == "cancelled"
    assert finished(events).step == 3
    resumed = train(tmp_path / "parts", new_model(seed=9), log_steps=3)
    assert finished(resumed).step == 8
    torch.testing.assert_close(
        losses(tmp_path / "parts"), losses(tmp_path / "whole"), rtol=0, atol=1e-6
    )


def test_what_came_after_the_checkpoint_is_recorded_once(tmp_path: Path) -> None:
    trainer = Trainer(
        new_model(), ToyBatches(), replace(SETTINGS, checkpoint_steps=3), tmp_path
    ).run()
    for event in trainer:
        if isinstance(event, StepDone) and event.step == 5:
            break
    trainer.close()  # type: ignore[attr-defined]
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "ste')
    train(tmp_path)
    assert [data["step"] for data in read_metrics(tmp_path)] == list(range(1, 9))


def test_accumulation_gives_the_gradient_of_the_whole_batch(tmp_path: Path) -> None:
    train(tmp_path / "whole", micro_rows=5)
    train(tmp_path / "pieces", micro_rows=2)
    torch.testing.assert_close(
        losses(tmp_path / "pieces"), losses(tmp_path / "whole"), rtol=1e-4, atol=1e-5
    )


class _Poisoned(ToyBatches):
    """Its rows make the loss explode from step 5 on."""

    def __init__(self, gpt: GPT) -> None:
        super().__init__()
        self._gpt = gpt

    def batch(self, step: int, rank: int = 0, world: int = 1) -> Batch:
        if step == 5:
            with torch.no_grad():
                self._gpt.model.norm.weight.fill_(float("nan"))
        return super().batch(step, rank, world)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_good_checkpoint(
    tmp_path: Path,
) -> None:
    gpt = new_model()
    settings = replace(SETTINGS, checkpoint_steps=2)
    events = list(Trainer(gpt, _Poisoned(gpt), settings, tmp_path).run())
    assert finished(events).reason == "diverged"
    assert Path(finished(events).path).name == "step-00000004"
    (warning,) = (event for event in events if isinstance(event, TrainingWarning))
    assert "step-00000004" in warning.message
    assert finished(train(tmp_path)).reason == "done"


def test_the_time_budget_ends_with_a_decayed_and_saved_model(tmp_path: Path) -> None:
    events = train(tmp_path, max_steps=None, max_minutes=0.01)
    end = finished(events)
    assert end.reason == "time"
    assert Path(end.path).is_dir()
    again = finished(train(tmp_path, max_steps=None, max_minutes=0.01))
    assert again.reason == "time"
    assert again.step <= end.step + 1, "the time that was used before counts"


def test_cancelling_before_the_first_step_still_leaves_a_model(tmp_path: Path) -> None:
    cancel = ThreadCancelFlag()
    cancel.set()
    events = list(Trainer(new_model(), ToyBatches(), SETTINGS, tmp_path, cancel).run())
    assert finished(events).reason == "cancelled"
    assert math.isnan(finished(events).loss)
    assert Path(finished(events).path).is_dir()


def test_checkpoints_of_another_run_are_refused(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(TrainingError, match="seed was 0 and is 7"):
        train(tmp_path, seed=7)


def test_only_what_asks_for_gradients_is_trained_and_saved(tmp_path: Path) -> None:
    gpt = new_model()
    gpt.requires_grad_(False)
    gpt.model.layers[0].mlp.requires_grad_(True)
    before = {name: p.clone() for name, p in gpt.named_parameters()}
    trainer = Trainer(gpt, ToyBatches(), SETTINGS, tmp_path)
    list(trainer.run())
    changed = {name for name, p in gpt.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {f"model.layers.0.mlp.{name}_proj.weight" for name in ("gate", "up", "down")}
    assert trainer.weights().keys() == changed


def test_dropout_depends_on_seed_and_step_alone(tmp_path: Path) -> None:
    class Dropping(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.dropout(x, 0.2, self.training)

    recorded = []
    for folder in ("one", "two"):
        gpt = new_model()
        gpt.model.norm = torch.nn.Sequential(gpt.model.norm, Dropping())
        torch.manual_seed(len(folder) + len(recorded))
        state = torch.get_rng_state()
        train(tmp_path / folder, gpt)
        assert torch.equal(torch.get_rng_state(), state)
        recorded.append(losses(tmp_path / folder))
    assert recorded[0] == recorded[1]


@pytest.mark.parametrize("changes", [{"precision": "autocast"}, {"precision": "bf16"}])
def test_lower_precision_learns_nearly_the_same(tmp_path: Path, changes: dict[str, Any]) -> None:
    gpt = new_model()
    train(tmp_path / "exact", max_steps=12)
    train(tmp_path / "rounded", gpt, max_steps=12, **changes)
    assert {p.dtype for p in gpt.parameters()} == {torch.float32}
    np.testing.assert_allclose(losses(tmp_path / "rounded"), losses(tmp_path / "exact"), rtol=0.03)


def test_muon_learns_and_resumes(tmp_path: Path) -> None:
    changes = {"optimizer": "muon", "muon_learning_rate": 5e-3, "checkpoint_steps": 3, "keep": 9}
    train(tmp_path / "whole", **changes)
    recorded = losses(tmp_path / "whole")
    assert recorded[-1] < recorded[0]
    for step in (6, 8):
        folder = tmp_path / "whole" / "checkpoints" / f"step-{step:08}"
        folder.rename(tmp_path / f"gone-{step}")
    train(tmp_path / "whole", new_model(seed=9), **changes)
    assert losses(tmp_path / "whole") == pytest.approx(recorded, abs=1e-6)
