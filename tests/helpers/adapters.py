"""LoRA adapters with random weights, written by `peft` on the tiny checkpoints.

`peft` belongs to the tests; the app never imports it.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from tests.helpers import checkpoints

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"


def write(model_dir: Path, folder: Path, *, seed: int = 5, **options: Any) -> Path:
    """Write an adapter for the checkpoint in `model_dir`; `options` are those of `LoraConfig`.

    B is drawn, too, and what is stored whole is moved, so that the adapter changes every logit.
    Returns `folder`.
    """
    from peft import LoraConfig, get_peft_model

    reference = checkpoints.load_reference(model_dir)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        model = get_peft_model(reference, LoraConfig(task_type="CAUSAL_LM", **options))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
                assert "lora_" not in name or parameter.requires_grad
        model.save_pretrained(str(folder))
    return folder


def reference_logits(
    model_dir: Path, folder: Path, ids: Sequence[int], *, merged: bool = False
) -> NDArray[np.float32]:
    """Logits [len(ids), vocab_size] of the checkpoint with the adapter, by `peft`."""
    from peft import PeftModel

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = PeftModel.from_pretrained(checkpoints.load_reference(model_dir), str(folder))
        model = model.merge_and_unload() if merged else model
        logits: NDArray[np.float32] = model.eval()(torch.tensor([list(ids)])).logits[0].numpy()
    return logits


def difference(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """The largest difference as a share of the largest value."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def set_options(folder: Path, **values: Any) -> None:
    """Change keys of adapter_config.json."""
    data = json.loads((folder / CONFIG).read_text("utf-8"))
    (folder / CONFIG).write_text(json.dumps(data | values), "utf-8")


def change_tensors(
    folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]
) -> None:
    """Write the adapter's tensors again, changed."""
    tensors = load_file(folder / WEIGHTS)
    save_file(change(tensors), folder / WEIGHTS, {"format": "pt"})
