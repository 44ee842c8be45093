"""Damaging a copy of a checkpoint, and the one error that must come of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.engines.registry import open_engine
from gptdesk.errors import CheckpointError, GptDeskError

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def refused(path: Path, error: type[GptDeskError] = CheckpointError) -> str:
    """The message, the same from looking at the model as from loading it."""
    messages = []
    for use in (inspect_model, lambda chosen: open_engine(resolve_folder(chosen))):
        with pytest.raises(error) as caught:
            use(path)
        assert type(caught.value) is error
        assert caught.value.hint
        messages.append(caught.value.title)
    assert messages[0] == messages[1]
    return messages[0]


def set_config(folder: Path, **values: Any) -> None:
    data = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(data | values), "utf-8")


def change_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
