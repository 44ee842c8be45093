"""Writing the adapter of a GPT as PEFT does: adapter_config.json and adapter_model.safetensors.

Layers of ours that the family stores as one are joined into one adapter, which PEFT applies to
the fused layer with the same result:

    parts that share A             A stays; B is theirs, one below the other
    parts with an A and B each     A is theirs, one below the other; B is block-diagonal, and the
                                   rank is the sum of the ranks
    a part without an adapter      rows of zeros in B
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from gptdesk.atomic import new_folder
from gptdesk.checkpoints.adapter_folder import (
    ADAPTER_FILE,
    adaptable_shapes,
    module_of,
    tensor_rules,
)
from gptdesk.checkpoints.adapter_options import ADAPTER_CONFIG
from gptdesk.checkpoints.families.base import Rule
from gptdesk.checkpoints.row_order import RowOrder
from gptdesk.checkpoints.saver import join_parts
from gptdesk.errors import CheckpointError, EngineError
from gptdesk.model.config import ModelConfig
from gptdesk.model.gpt import GPT
from gptdesk.model.lora import Adapter, LoraEmbedding, LoraLayer, find_adapter
from gptdesk.model.lora_settings import is_named

_PREFIX = "base_model.model."


@dataclass(frozen=True, slots=True)
class _Joined:
    """One adapted module of theirs."""

    a: Tensor
    b: Tensor
    scaling: float
    is_table: bool

    @property
    def rank(self) -> int:
        return self.a.shape[0]


def save_adapter(gpt: GPT, out_dir: str | Path, base_name: str = "") -> None:
    """Write the adapter of this model; `peft` puts it on the base model to the same logits.

    Args:
        gpt: a model with an adapter, switched on or off.
        out_dir: must not exist, or be empty. Appears whole or not at all.
        base_name: name or path of the base model, for whoever opens the adapter.

    Raises:
        EngineError: the model has no adapter.
        CheckpointError: `out_dir` is not empty or cannot be written, or the disk is full.
    """
    adapter = find_adapter(gpt)
    if adapter is None:
        raise EngineError("The model has no adapter.", "Load one first.")
    out = Path(out_dir)
    joined = _join_all(gpt.config, adapter.layers)
    whole = _whole(gpt, adapter)
    try:
        with new_folder(out) as folder:
            save_file(_named(joined) | whole, folder / ADAPTER_FILE, {"format": "pt"})
            text = json.dumps(_options(gpt, adapter, joined, whole, base_name), indent=2)
            (folder / ADAPTER_CONFIG).write_text(text + "\n", encoding="utf-8")
            # Written for the owner alone; give it the mode of any other new file.
            mode = (folder / ADAPTER_CONFIG).stat().st_mode & 0o777
            (folder / ADAPTER_FILE).chmod(mode)
    except FileExistsError as error:
        raise CheckpointError(
            f"{out_dir} already holds files.", "Choose a new or an empty folder."
        ) from error
    except (OSError, SafetensorError) as error:  # the latter hides what the system said
        raise CheckpointError(
            f"The adapter cannot be written to {out_dir}.",
            "Check that the disk has room and that you may write there.",
            str(error),
        ) from error


def _join_all(config: ModelConfig, layers: Mapping[str, LoraLayer]) -> dict[str, _Joined]:
    """What PEFT is to apply to each module of theirs."""
    joined, shapes = {}, adaptable_shapes(config)
    for rule in tensor_rules(config).values():
        parts = [layers.get(name.removesuffix(".weight")) for name in rule.ours]
        if any(part is not None for part in parts):
            rows = tuple(shapes[name][0] for name in rule.ours)
            joined[module_of(rule)] = _join(rule, rule.row_order(config, rows), rows, parts)
    return joined


def _join(
    rule: Rule, order: RowOrder | None, rows: tuple[int, ...], parts: list[LoraLayer | None]
) -> _Joined:
    there = [part for part in parts if part is not None]
    first = there[0]
    if isinstance(first, LoraEmbedding):
        return _Joined(first.lora_A.detach(), first.lora_B.detach(), first.scaling, True)
    if all(part.lora_A is first.lora_A and part.scaling == first.scaling for part in there):
        a, scale = first.lora_A.detach(), first.scaling
        rank = a.shape[0]
        blocks = [
            a.new_zeros(count, rank) if part is None else part.lora_B.detach()
            for part, count in zip(parts, rows, strict=True)
        ]
    else:
        a, scale = torch.cat([part.lora_A.detach() for part in there]), first.scaling
        blocks = _diagonal(parts, rows, scale, a)
    plain = replace(rule, transpose=False, added=0.0)
    return _Joined(a, join_parts(plain, order, blocks), scale, False)


def _diagonal(
    parts: list[LoraLayer | None], rows: tuple[int, ...], scale: float, a: Tensor
) -> list[Tensor]:
    """Each part's rows (count, sum of ranks), zero but for the columns that meet its own A."""
    blocks, column = [], 0
    for part, count in zip(parts, rows, strict=True):
        block = a.new_zeros(count, a.shape[0])
        if part is not None:
            rank = part.lora_A.shape[0]
            block[:, column : column + rank] = part.lora_B.detach() * (part.scaling / scale)
            column += rank
        blocks.append(block)
    return blocks


def _named(joined: Mapping[str, _Joined]) -> dict[str, Tensor]:
    tensors = {}
    for module, part in joined.items():
        kind = ("lora_embedding_{}" if part.is_table else "lora_{}.weight").format
        for half, value in (("A", part.a), ("B", part.b)):
            tensors[f"{_PREFIX}{module}.{kind(half)}"] = value.cpu().contiguous()
    return tensors


def _whole(gpt: GPT, adapter: Adapter) -> dict[str, Tensor]:
    """The parameters that stand in the model's place, as the family stores them."""
    values = {
        name: gpt.get_parameter(name) if adapter.enabled else other
        for name, other in adapter.replaced.items()
    }
    tensors = {}
    for theirs, rule in tensor_rules(gpt.config).items():
        if rule.ours[0] in values:
            parts = [values.get(name, gpt.get_parameter(name)).detach() for name in rule.ours]
            order = rule.row_order(gpt.config, tuple(len(part) for part in parts))
            tensors[_PREFIX + theirs] = join_parts(rule, order, parts)
    return tensors


def _options(
    gpt: GPT,
    adapter: Adapter,
    joined: Mapping[str, _Joined],
    whole: Iterable[str],
    base_name: str,
) -> dict[str, Any]:
    """The keys of adapter_config.json."""
    root = math.sqrt if adapter.rslora else float
    ranks = {module: part.rank for module, part in joined.items()}
    alphas = {module: _tidy(part.scaling * root(part.rank)) for module, part in joined.items()}
    rank, alpha = _commonest(ranks.values(), 1), _commonest(alphas.values(), 1)
    rules = tensor_rules(gpt.config)
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name or None,
        "r": rank,
        "lora_alpha": alpha,
        "lora_dropout": adapter.dropout,
        "use_rslora": adapter.rslora,
        "target_modules": _targets(joined, rules),
        "rank_pattern": {module: r for module, r in ranks.items() if r != rank},
        "alpha_pattern": {module: a for module, a in alphas.items() if a != alpha},
        "modules_to_save": sorted({name.removeprefix(_PREFIX).rpartition(".")[0] for name in whole})
        or None,
        "fan_in_fan_out": any(rules[f"{module}.weight"].transpose for module in joined),
        "bias": "none",
        "init_lora_weights": True,
        "inference_mode": True,
    }


def _tidy(alpha: float) -> float | int:
    """Without the rounding of a division and a product that cancel out."""
    return round(alpha) if math.isclose(alpha, round(alpha), rel_tol=1e-12) else alpha


def _commonest(values: Iterable[Any], default: Any) -> Any:
    ranked = Counter(values).most_common(1)
    return ranked[0][0] if ranked else default


def _targets(joined: Mapping[str, _Joined], rules: Mapping[str, Rule]) -> list[str]:
    """Endings of names, where these select exactly the adapted modules; else whole names."""
    endings = {re.sub(r".*\.\d+\.", "", module) for module in joined}
    modules = [module_of(rule) for name, rule in rules.items() if name.endswith(".weight")]
    selected = {m for m in modules if any(is_named(m, ending) for ending in endings)}
    return sorted(endings if selected == joined.keys() else joined)
