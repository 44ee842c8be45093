"""Random GPTs of any shape, and their graphs on disk, for the tests of export and engine."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from gptdesk.export.gpt_graph import build
from gptdesk.export.onnx_format import Variant
from gptdesk.export.weight_file import WeightFile
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT


def random_gpt(config: ModelConfig, seed: int = 0) -> GPT:
    """A GPT whose every parameter is random, norms and biases too."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gpt = GPT(config).eval().requires_grad_(False)
        for parameter in gpt.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (parameter.ndim == 1))
    return gpt


def write_graph(gpt: GPT, folder: Path, variant: Variant) -> Path:
    """Write model.onnx and its data into `folder`, which is created; returns model.onnx."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "model.onnx.data").open("wb") as file:
        weights = WeightFile(file, lambda _: None, None)
        model = build(gpt.config, lambda name: gpt.get_parameter(name).numpy(), weights, variant)
    path = folder / "model.onnx"
    onnx.save_model(model, path)
    return path
