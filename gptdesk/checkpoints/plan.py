"""Matching the tensors that files hold with the parameters that the config asks for.

Done on headers alone, so a folder that does not fit is refused before anything is allocated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gptdesk.checkpoints.families import find_family
from gptdesk.checkpoints.families.base import Family, Rule, few
from gptdesk.checkpoints.folder import ModelFolder
from gptdesk.checkpoints.gguf_rules import gguf_family
from gptdesk.checkpoints.layout import EMBEDDING, HEAD, HEAD_BIAS, parameter_shapes
from gptdesk.checkpoints.row_order import RowOrder
from gptdesk.checkpoints.stored_tensor import BLOCK_TYPES, FLOAT_TYPES, StoredTensor
from gptdesk.checkpoints.weight_formats import read_headers
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.config import ModelConfig


@dataclass(frozen=True, slots=True)
class Step:
    """One stored tensor and the parameters it becomes.

    Attributes:
        stored: where it lies.
        rule: names of the parameters and whether to transpose.
        rows: length of each parameter's first axis.
        order: in which the file keeps the rows; None for ours.
    """

    stored: StoredTensor
    rule: Rule
    rows: tuple[int, ...]
    order: RowOrder | None = None


@dataclass(frozen=True, slots=True)
class WeightPlan:
    """Everything that loading has to read.

    Attributes:
        steps: in the order of the parameters.
        head: an output matrix stored although the config ties it to the embedding; None as a
            rule. If its values differ from the embedding's, the two are in truth not tied.
    """

    steps: tuple[Step, ...]
    head: StoredTensor | None

    @property
    def nbytes(self) -> int:
        """Bytes to read from disk."""
        return sum(step.stored.nbytes for step in self.steps)


def plan_folder(folder: ModelFolder) -> WeightPlan:
    """Judge the weights of a folder, all but ONNX exports, by their headers.

    Raises:
        CheckpointError, UnsupportedModelError: as `read_headers` and `plan_weights`.
    """
    families = gguf_family if folder.weights == "gguf" else find_family
    family = families(folder.config_data)
    return plan_weights(folder.config, family, read_headers(folder), folder.path)


def plan_weights(
    config: ModelConfig, family: Family, stored: Mapping[str, StoredTensor], root: Path
) -> WeightPlan:
    """Assign every stored tensor to parameters.

    Raises:
        CheckpointError: tensors are missing, left over or of the wrong shape; the first few are
            named.
        UnsupportedModelError: weights are stored as integers or 8-bit floats.
    """
    ignored = re.compile("|".join(family.ignored) or r"(?!)")
    left = {name: tensor for name, tensor in stored.items() if not ignored.fullmatch(name)}
    left = _complete_names(left, family)
    sources = {rule.theirs: rule for rule in family.sources(config)}
    embedding = next(name for name, rule in sources.items() if rule.ours == (EMBEDDING,))
    head = left.pop(family.head_name, None) if config.tied_embeddings else None
    if head is not None and embedding not in left:
        left[embedding], head = head, None
    _check_names(root, sources.keys(), left.keys())
    shapes = parameter_shapes(config)
    steps = tuple(_step(rule, left[name], config, shapes) for name, rule in sources.items())
    if head is not None:
        _step(Rule(HEAD, (HEAD,)), head, config, shapes | {HEAD: shapes[EMBEDDING]})
    return WeightPlan(steps, head)


def untied(plan: WeightPlan) -> WeightPlan:
    """The same with the stored output matrix as a parameter of its own."""
    if plan.head is None:
        return plan
    step = Step(plan.head, Rule(HEAD, (HEAD,)), (plan.head.shape[0],))
    return replace(plan, steps=(*plan.steps, step), head=None)


def _complete_names(stored: Mapping[str, StoredTensor], family: Family) -> dict[str, StoredTensor]:
    """Names of other versions renamed, and the inner model's prefix put in front.

    The prefix is missing in files that were saved without the output matrix.
    """
    stored = {family.synonyms.get(name, name): tensor for name, tensor in stored.items()}
    if any(name.startswith(family.prefix) for name in stored):
        return stored
    head = (family.head_name, HEAD_BIAS)
    return {name if name in head else family.prefix + name: stored[name] for name in stored}


def _check_names(root: Path, wanted: Iterable[str], found: Iterable[str]) -> None:
    missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    if not missing and not extra:
        return
    parts = []
    if missing:
        text = few(missing)
        parts.append(f"{text} is missing" if len(missing) == 1 else f"{text} are missing")
    if extra:
        text = few(extra)
        parts.append(f"{text} is not expected" if len(extra) == 1 else f"{text} are not expected")
    raise CheckpointError(
        f"The weights in {root} do not fit its configuration: {'; '.join(parts)}.",
        "Download the model again: its files are incomplete or do not belong together.",
    )


def _step(
    rule: Rule,
    stored: StoredTensor,
    config: ModelConfig,
    shapes: Mapping[str, tuple[int, ...]],
) -> Step:
    rows = tuple(shapes[name][0] for name in rule.ours)
    shape = (sum(rows), *shapes[rule.ours[0]][1:])
    wanted = shape[::-1] if rule.transpose else shape
    if stored.shape != wanted:
        raise CheckpointError(
            f"{stored.path}: tensor {stored.name} has shape {list(stored.shape)}, "
            f"its configuration asks for {list(wanted)}.",
            "Download the model again: its files do not belong together.",
        )
    if stored.dtype not in FLOAT_TYPES and stored.dtype not in BLOCK_TYPES:
        raise UnsupportedModelError(
            f"{stored.path}: tensor {stored.name} is stored as {stored.dtype}; "
            "gptdesk does not read quantized weights.",
            "Look for a version of this model in float32, float16 or bfloat16.",
        )
    return Step(stored, rule, rows, rule.row_order(config, rows))
