"""Compiled, the trainer makes the same steps.

What may break is how `torch.compile` takes the model apart: the loss with gradients of its own,
weights that are rounded anew in each pass, batches of other shapes. The back end stays out of it,
since it would have a C++ compiler at work for most of a minute.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gptdesk.training.precision import LossModule
from gptdesk.training.trainer import Trainer
from tests.training.toy import SETTINGS, ToyBatches, losses, new_model


# The compiler builds an object of the loss's class, of which autograd itself warns.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_compiled_steps_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[LossModule] = []

    def compile_without_back_end(module: LossModule) -> None:
        compiled.append(module)
        nn.Module.compile(module, backend="aot_eager")

    monkeypatch.setattr(LossModule, "compile", compile_without_back_end)
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # a thread of it would stay
    for name, asked in (("plain", False), ("compiled", True)):
        settings = replace(SETTINGS, max_steps=3, precision="bf16", compile=asked)
        list(Trainer(new_model(num_layers=1), ToyBatches(), settings, tmp_path / name).run())
    torch.compiler.reset()
    assert len(compiled) == 1
    np.testing.assert_allclose(losses(tmp_path / "compiled"), losses(tmp_path / "plain"), rtol=0.01)
