"""LoRA adapters in PEFT's format: put on a GPT, and written from one.

A family may store several of our layers as one (GPT-2's c_attn). An adapter of the fused layer is
cut like the layer itself: the parts share A, and each gets its rows of B. The way back is exact,
too: parts that share A are joined again; parts with an A each, of ranks r₁ … rₙ, become one
adapter of rank r₁ + … + rₙ whose A is theirs one below the other and whose B is block-diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from gptdesk.cancel import CancelFlag
from gptdesk.checkpoints.adapter_folder import (
    ADAPTER_PICKLE,
    AdapterFolder,
    AdapterPlan,
    LowRank,
    plan_adapter,
    resolve_adapter,
)
from gptdesk.checkpoints.families.base import Rule, few
from gptdesk.checkpoints.pickle_agreement import check_agreement
from gptdesk.checkpoints.plan import Step
from gptdesk.checkpoints.stored_tensor import StoredTensor
from gptdesk.checkpoints.tensor_reader import TensorReader
from gptdesk.errors import EngineError
from gptdesk.generation.events import Progress
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import (
    Adapter,
    LoraEmbedding,
    LoraLayer,
    LoraLinear,
    find_adapter,
    install_adapter,
    remove_adapter,
)

ProgressCallback = Callable[[Progress], None]


def load_adapter(
    gpt: GPT,
    source: AdapterFolder | str | Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: CancelFlag | None = None,
) -> list[str]:
    """Put the adapter in a folder on the model, in place of the one it has.

    Nothing changes unless all of it can be read. Its tensors take the model's precision.

    Returns:
        What is wrong but not fatal.

    Raises:
        CheckpointError: it is damaged, of another kind, or was made for another model.
        EngineError: the model's layers are of a kind that cannot be adapted.
        Cancelled: the person stopped it.
    """
    folder = source if isinstance(source, AdapterFolder) else resolve_adapter(source)
    plan = plan_adapter(folder, gpt.config)
    _check_layers(gpt, plan)
    if folder.weights.name == ADAPTER_PICKLE:
        check_agreement([folder.weights])
    weight = gpt.model.embed_tokens.weight
    total, done = sum(tensor.nbytes for tensor in folder.tensors), 0

    def count(nbytes: int) -> None:
        nonlocal done
        done += nbytes
        if progress is not None:
            name = folder.root.name
            progress(Progress(stage="loading", done=done, total=total, detail=name))

    reader = TensorReader(weight.dtype, count, cancel)
    try:
        pairs = [(low, *_read_pair(reader, low, weight.device)) for low in plan.low_rank]
        whole = {
            name: value.to(weight.device)
            for step in plan.whole
            for name, value in reader.read(step).items()
        }
    finally:
        reader.close()
    if find_adapter(gpt) is not None:
        remove_adapter(gpt)
    layers = {
        name: layer
        for low, a, parts in pairs
        for name, layer in _layers(gpt, low, a, parts, folder.options.dropout)
    }
    adapter = Adapter(layers, dropout=folder.options.dropout, rslora=folder.options.rslora)
    install_adapter(gpt, adapter, _changed(gpt, whole))
    for layer in layers.values():
        layer.requires_grad_(False)
    return _warnings(reader.not_finite)


def _changed(gpt: GPT, whole: dict[str, Tensor]) -> dict[str, Tensor]:
    """What differs from the model: PEFT stores adapted embeddings once more as they were."""
    return {
        name: value
        for name, value in whole.items()
        if not torch.equal(value, gpt.get_parameter(name))
    }


def _check_layers(gpt: GPT, plan: AdapterPlan) -> None:
    for low in plan.low_rank:
        for name in low.modules:
            if not isinstance(gpt.get_submodule(name), nn.Linear | nn.Embedding):
                raise EngineError(
                    "An adapter cannot be put on a model whose weights are quantized.",
                    "Load the model in fp32 or bf16.",
                    name,
                )


def _read_pair(
    reader: TensorReader, low: LowRank, device: torch.device
) -> tuple[Tensor, list[Tensor]]:
    a = reader.read(_plain(low.a))[low.a.name]
    # Each part as memory of its own: they live on by themselves.
    parts = [part.to(device, copy=True) for part in reader.read(low.b).values()]
    return a.to(device), parts


def _plain(stored: StoredTensor) -> Step:
    return Step(stored, Rule(stored.name, (stored.name,)), stored.shape[:1])


def _layers(
    gpt: GPT, low: LowRank, a: Tensor, parts: list[Tensor], dropout: float
) -> list[tuple[str, LoraLayer]]:
    shared = nn.Parameter(a, requires_grad=False)
    made: list[tuple[str, LoraLayer]] = []
    for name, b in zip(low.modules, parts, strict=True):
        base = gpt.get_submodule(name)
        if isinstance(base, nn.Embedding):
            made.append((name, LoraEmbedding(base, shared, b, low.scaling)))
        else:
            base = cast("nn.Linear", base)
            made.append((name, LoraLinear(base, shared, b, low.scaling, dropout)))
    return made


def _warnings(not_finite: list[str]) -> list[str]:
    if not not_finite:
        return []
    warning = (
        f"The adapter holds values that are not numbers (in {few(not_finite, 1)}): the model's "
        "output will be useless. Download it again."
    )
    return [warning]
