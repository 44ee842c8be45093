"""Compares the memory that a model is said to need with what it takes: `python -m tests.benchmarks.memory`.

For five shapes and each precision, a process of its own loads the model, reads a text as long as the estimate assumes,
writes a few tokens and reports its resident memory. Weights are random; only their sizes count.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from gptdesk import paths
from gptdesk.checkpoints.families import FAMILIES
from gptdesk.checkpoints.inspection import inspect_model, typical_context
from gptdesk.checkpoints.layout import parameter_shapes
from gptdesk.model.config import ModelConfig

CHUNK = 256
SHAPES: dict[str, dict[str, Any]] = {
    "GPT-2 124M": {
        "architecture": "gpt2",
        "vocab_size": 50257,
        "context_length": 1024,
        "num_layers": 12,
        "hidden_size": 768,
        "num_heads": 12,
        "num_kv_heads": 12,
        "head_dim": 64,
        "intermediate_size": 3072,
        "norm": "layernorm",
        "activation": "gelu_tanh",
        "gated_mlp": False,
        "position": "learned",
        "qkv_bias": True,
        "attention_output_bias": True,
        "mlp_bias": True,
        "tied_embeddings": True,
    },
    "SmolLM2 360M": {
        "architecture": "llama",
        "vocab_size": 49152,
        "context_length": 8192,
        "num_layers": 32,
        "hidden_size": 960,
        "num_heads": 15,
        "num_kv_heads": 5,
        "head_dim": 64,
        "intermediate_size": 2560,
        "tied_embeddings": True,
    },
    "Qwen2.5 0.5B": {
        "architecture": "qwen2",
        "vocab_size": 151936,
        "context_length": 32768,
        "num_layers": 24,
        "hidden_size": 896,
        "num_heads": 14,
        "num_kv_heads": 2,
        "head_dim": 64,
        "intermediate_size": 4864,
        "qkv_bias": True,
        "tied_embeddings": True,
    },
    "Pythia 160M": {
        "architecture": "gpt_neox",
        "vocab_size": 50304,
        "context_length": 2048,
        "num_layers": 12,
        "hidden_size": 768,
        "num_heads": 12,
        "num_kv_heads": 12,
        "head_dim": 64,
        "intermediate_size": 3072,
        "norm": "layernorm",
        "residual": "parallel",
        "activation": "gelu",
        "gated_mlp": False,
        "rotary_dim": 16,
        "qkv_bias": True,
        "attention_output_bias": True,
        "mlp_bias": True,
    },
}


def main() -> None:
    """Write the models one by one, measure each, print a table."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])))
        return
    print(
        f"{'model':<16} {'precision':<10} {'estimate MB':>12} {'RSS MB':>8} {'ratio':>6} {'peak':>6}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for name, folder in models(Path(scratch)):
            estimates = inspect_model(folder).memory_bytes
            for precision in ("fp32", "bf16"):
                command = [sys.executable, "-m", "tests.benchmarks.memory", str(folder), precision]
                answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                rss, peak = json.loads(answer.stdout)
                said = estimates[precision]
                figures = (
                    f"{said / 1e6:>12,.0f} {rss / 1e6:>8,.0f} {said / rss:>6.2f} {peak / rss:>6.2f}"
                )
                print(f"{name:<16} {precision:<10} {figures}", flush=True)


def models(scratch: Path) -> Iterator[tuple[str, Path]]:
    """The bundled model, then each of `SHAPES`; a written one is deleted when the next is asked for."""
    yield "bundled", paths.default_model_dir()
    for name, values in SHAPES.items():
        config = ModelConfig(**values)
        family = FAMILIES[config.architecture]
        data = {"model_type": config.architecture, **family.write(config)}
        (scratch / "config.json").write_text(json.dumps(data), "utf-8")
        shapes = parameter_shapes(config)
        tensors = {}
        for rule in family.sources(config):
            parts = [torch.randn(shapes[ours], dtype=torch.bfloat16) * 0.02 for ours in rule.ours]
            whole = torch.cat(parts) if len(parts) > 1 else parts[0]
            tensors[rule.theirs] = whole.t().contiguous() if rule.transpose else whole
        save_file(tensors, scratch / "model.safetensors")
        del tensors
        yield name, scratch


def measure(folder: Path, precision: str) -> tuple[int, int]:
    """Bytes resident after ordinary use, and at most."""
    from gptdesk.checkpoints.folder import resolve_folder
    from gptdesk.engines.registry import open_engine

    engine, _ = open_engine(resolve_folder(folder), device="cpu", dtype=precision)
    total = typical_context(engine.info.context_length)
    ids = [(37 * i) % engine.info.vocab_size for i in range(total - 8)]
    for start in range(0, len(ids), CHUNK):
        logits = engine.extend(ids[start : start + CHUNK])
    for _ in range(8):
        logits = engine.extend([int(logits[-1].argmax())])
    status = Path("/proc/self/status").read_text("ascii")
    sizes = dict(line.split(":") for line in status.splitlines())
    return tuple(int(sizes[key].split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


if __name__ == "__main__":
    main()
