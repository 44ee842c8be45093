"""From a path that a person chose to a LoRA adapter that is worth loading, and what it fits.

Like `folder` and `plan` for models: everything is judged by names and headers, before a weight is
read and without torch. An adapter names its layers as the base model's own files do, so the rules
of the model's family lead to ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gptdesk.checkpoints.adapter_options import ADAPTER_CONFIG, AdapterOptions, read_options
from gptdesk.checkpoints.families import FAMILIES
from gptdesk.checkpoints.families.base import CONFIG_NAME, Family, Rule, few
from gptdesk.checkpoints.files import checked_file, read_json
from gptdesk.checkpoints.layout import EMBEDDING, Shapes, parameter_shapes
from gptdesk.checkpoints.pickle_header import read_header as read_pickled
from gptdesk.checkpoints.plan import Step
from gptdesk.checkpoints.safetensors_header import read_header as read_safetensors
from gptdesk.checkpoints.stored_tensor import FLOAT_TYPES, StoredTensor
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.config import ModelConfig

ADAPTER_FILE = "adapter_model.safetensors"
ADAPTER_PICKLE = "adapter_model.bin"

_NAME = re.compile(
    r"(?:base_model\.model\.)?(?P<module>.+?)"
    r"(?:\.(?P<half>lora_A|lora_B)(?:\.default)?\.weight"
    r"|\.lora_embedding_(?P<table_half>[AB])(?:\.default)?"
    r"|(?:\.modules_to_save(?:\.default)?|\.base_layer)?\.(?P<part>weight|bias))"
)
_TABLES = (EMBEDDING, "model.embed_positions.weight")


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """An adapter on disk that passed every check that needs no base model.

    Attributes:
        root: the folder.
        weights: the file that holds its tensors.
        options: adapter_config.json.
        halves: module to its two low-rank tensors, A and B.
        whole: parameter name to a tensor that takes its place.
    """

    root: Path
    weights: Path
    options: AdapterOptions
    halves: Mapping[str, tuple[StoredTensor, StoredTensor]]
    whole: Mapping[str, StoredTensor]

    @property
    def ranks(self) -> list[int]:
        """The different ranks of its matrices, smallest first."""
        return sorted({a.shape[0] for a, _ in self.halves.values() if a.shape})

    @property
    def tensors(self) -> list[StoredTensor]:
        """Everything it holds."""
        return [*(half for pair in self.halves.values() for half in pair), *self.whole.values()]


@dataclass(frozen=True, slots=True)
class LowRank:
    """One adapted module of theirs and the layers of ours that it consists of.

    Attributes:
        modules: of ours; several where the family fuses them. They share A; B is cut.
        a, b: (rank, inputs) and (outputs, rank); of an embedding (rank, tokens) and (width, rank).
            b is to be read as the rows of the weight are: cut, and in the order of its heads.
        scaling: factor of their product.
        is_table: whether it is an embedding.
    """

    modules: tuple[str, ...]
    a: StoredTensor
    b: Step
    scaling: float
    is_table: bool


@dataclass(frozen=True, slots=True)
class AdapterPlan:
    """Everything that loading an adapter has to read, assigned to parameters of ours."""

    low_rank: tuple[LowRank, ...]
    whole: tuple[Step, ...]


def is_adapter(path: str | Path) -> bool:
    """Whether a folder, or a file in one, looks like an adapter and not like a model."""
    try:
        place = Path(path).expanduser()
        root = place if place.is_dir() else place.parent
        return (root / ADAPTER_CONFIG).is_file() and not (root / CONFIG_NAME).exists()
    except (OSError, ValueError, RuntimeError):  # told by whoever opens it
        return False


def resolve_adapter(path: str | Path) -> AdapterFolder:
    """Find the adapter that `path`, a folder or a file in it, stands for.

    Raises:
        CheckpointError: nothing there, incomplete, damaged, or leading outside the folder.
        UnsupportedModelError: no LoRA adapter, or of a variant that is not built.
    """
    try:
        place = Path(path).expanduser().absolute()
        root = place if place.is_dir() else place.parent
        exists, has_config = place.exists(), (root / ADAPTER_CONFIG).exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{str(path)[:200]!r} cannot be opened.",
            "Choose a folder that you may read.",
            str(error),
        ) from error
    if not exists:
        raise CheckpointError(
            f"There is no adapter at {path}.", "Choose a folder that holds a LoRA adapter."
        )
    if not has_config:
        raise CheckpointError(
            f"{root} holds no adapter: it has no file {ADAPTER_CONFIG}.",
            "Choose a folder that PEFT or gptdesk has saved a LoRA adapter in.",
        )
    source = f"{ADAPTER_CONFIG} in {root}"
    options = read_options(read_json(root, ADAPTER_CONFIG), source)
    weights = _weight_file(root)
    halves, whole = _sorted(root, _read_tensors(weights))
    return AdapterFolder(root, weights, options, halves, whole)


def plan_adapter(folder: AdapterFolder, config: ModelConfig) -> AdapterPlan:
    """Assign everything in an adapter to parameters of a model of this shape.

    Raises:
        CheckpointError: it adapts what the model lacks, or in another shape.
    """
    rules, shapes = tensor_rules(config), adaptable_shapes(config)
    family = FAMILIES[config.architecture]
    adapted = {name: _find(folder, f"{name}.weight", rules, family) for name in folder.halves}
    whole = {name: _find(folder, name, rules, family) for name in folder.whole}
    _check_targets(folder, rules, adapted.values(), family)
    return AdapterPlan(
        tuple(_low_rank(folder, name, rule, shapes, config) for name, rule in adapted.items()),
        tuple(_whole(folder, name, rule, shapes, config) for name, rule in whole.items()),
    )


def module_of(rule: Rule) -> str:
    """The module whose weight this rule is about, as PEFT names it."""
    return rule.theirs.removesuffix(".weight")


def tensor_rules(config: ModelConfig) -> dict[str, Rule]:
    """The family's parameters by the names that PEFT knows them by.

    A tied output matrix is among them, since it can be adapted by itself. Where `transformers` has
    renamed a module and kept the old name in files, PEFT sees the new one.
    """
    family = FAMILIES[config.architecture]
    renamed = {old: new for new, old in family.synonyms.items()}
    rules = family.sources(replace(config, tied_embeddings=False))
    rules = (replace(rule, theirs=renamed.get(rule.theirs, rule.theirs)) for rule in rules)
    return {rule.theirs: rule for rule in rules}


def adaptable_shapes(config: ModelConfig) -> Shapes:
    """The shapes of our parameters, a tied output matrix included."""
    return parameter_shapes(replace(config, tied_embeddings=False))


def _weight_file(root: Path) -> Path:
    """What holds the tensors; a pickle only where PEFT's newer format is missing."""
    pickled = not (root / ADAPTER_FILE).exists() and (root / ADAPTER_PICKLE).exists()
    name = ADAPTER_PICKLE if pickled else ADAPTER_FILE
    checked_file(root, name)
    return root / name


def _read_tensors(path: Path) -> dict[str, StoredTensor]:
    tensors = read_pickled(path) if path.name == ADAPTER_PICKLE else read_safetensors(path)
    for tensor in tensors.values():
        if tensor.dtype not in FLOAT_TYPES:
            raise UnsupportedModelError(
                f"{tensor.path}: tensor {tensor.name} is stored as {tensor.dtype}; "
                "gptdesk does not read quantized weights.",
                "Look for a version of this adapter in float32, float16 or bfloat16.",
            )
    return tensors


_Halves = dict[str, tuple[StoredTensor, StoredTensor]]


def _sorted(
    root: Path, tensors: Mapping[str, StoredTensor]
) -> tuple[_Halves, dict[str, StoredTensor]]:
    """Pairs of low-rank tensors by module, and whole parameters by name."""
    halves: dict[str, dict[str, StoredTensor]] = {}
    whole: dict[str, StoredTensor] = {}
    for tensor in tensors.values():
        match = _NAME.fullmatch(tensor.name)
        if match is None or ".lora_" in match["module"]:
            raise UnsupportedModelError(
                f"{tensor.path}: tensor {tensor.name} belongs to a kind of adapter that gptdesk "
                "does not apply.",
                "Merge the adapter into its model with PEFT, and open the result.",
            )
        if match["part"]:
            whole[f"{match['module']}.{match['part']}"] = tensor
        else:
            half = match["table_half"] or match["half"][-1]
            halves.setdefault(match["module"], {})[half] = tensor
    torn = sorted(module for module, pair in halves.items() if len(pair) < 2)
    if torn or not tensors:
        what = f"only one half of {few(torn)}" if torn else "no tensors"
        raise CheckpointError(
            f"The adapter in {root} is incomplete: it holds {what}.", "Download it again."
        )
    return {module: (pair["A"], pair["B"]) for module, pair in halves.items()}, whole


def _find(folder: AdapterFolder, name: str, rules: Mapping[str, Rule], family: Family) -> Rule:
    """The rule of a parameter that the adapter names.

    An adapter that was trained on the inner model alone leaves out the prefix.
    """
    newer = next((new for new, old in family.synonyms.items() if old == name), name)
    rule = rules.get(name) or rules.get(family.prefix + name) or rules.get(newer)
    if rule is None:
        raise _misfit(folder, f"it adapts {name}, which the model does not have")
    return rule


def _check_targets(
    folder: AdapterFolder, rules: Mapping[str, Rule], adapted: Iterable[Rule], family: Family
) -> None:
    """Raise unless exactly the modules that adapter_config.json names have tensors."""
    options = folder.options
    if options.targets is None:
        return
    found = {module_of(rule) for rule in adapted}

    def selects(module: str) -> bool:
        older = family.synonyms.get(f"{module}.weight", module).removesuffix(".weight")
        return options.selects(module) or options.selects(older)

    extra = sorted(module for module in found if not selects(module))
    if extra:
        raise CheckpointError(
            f"The adapter in {folder.root} does not fit its {ADAPTER_CONFIG}, whose "
            f"target_modules do not name {few(extra)}.",
            "Download it again: its files do not belong together.",
        )
    wanted = {
        module_of(rule)
        for name, rule in rules.items()
        if name.endswith(".weight") and selects(module_of(rule))
    }
    kept = {name.rpartition(".")[0] for name in folder.whole}
    missing = sorted(wanted - found - kept)
    if missing:
        raise CheckpointError(
            f"The adapter in {folder.root} is incomplete: it has no tensors for {few(missing)}.",
            "Download it again, or choose the model it was made for.",
        )


def _low_rank(
    folder: AdapterFolder, name: str, rule: Rule, shapes: Shapes, config: ModelConfig
) -> LowRank:
    a, b = folder.halves[name]
    rows, inputs = tuple(shapes[ours][0] for ours in rule.ours), shapes[rule.ours[0]][1:]
    if len(inputs) != 1:
        raise _misfit(folder, f"it adapts {name}, which is no matrix")
    rank = max(a.shape[0], 1) if a.shape else 1  # none has rank 0
    is_table = rule.ours[0] in _TABLES
    outer = (sum(rows), inputs[0])
    for tensor, wanted in (
        (a, (rank, outer[0] if is_table else outer[1])),
        (b, (outer[1] if is_table else outer[0], rank)),
    ):
        if tensor.shape != wanted:
            raise _wrong_shape(folder, tensor, wanted)
    cut = replace(rule, transpose=False, added=0.0)
    if is_table:
        rows = b.shape[:1]
    return LowRank(
        modules=tuple(ours.removesuffix(".weight") for ours in rule.ours),
        a=a,
        b=Step(b, cut, rows, rule.row_order(config, rows)),
        scaling=folder.options.scaling_of(module_of(rule), rank),
        is_table=is_table,
    )


def _whole(
    folder: AdapterFolder, name: str, rule: Rule, shapes: Shapes, config: ModelConfig
) -> Step:
    stored = folder.whole[name]
    rows = tuple(shapes[ours][0] for ours in rule.ours)
    shape = (sum(rows), *shapes[rule.ours[0]][1:])
    wanted = shape[::-1] if rule.transpose else shape
    if stored.shape != wanted:
        raise _wrong_shape(folder, stored, wanted)
    return Step(stored, rule, rows, rule.row_order(config, rows))


def _wrong_shape(
    folder: AdapterFolder, tensor: StoredTensor, wanted: tuple[int, ...]
) -> CheckpointError:
    return _misfit(
        folder,
        f"tensor {tensor.name} has shape {list(tensor.shape)}, the model asks for {list(wanted)}",
    )


def _misfit(folder: AdapterFolder, why: str) -> CheckpointError:
    base = folder.options.base
    return CheckpointError(
        f"The adapter in {folder.root} does not fit this model: {why}.",
        f"Choose the model it was made for: {base}."
        if base
        else "Choose the model it was made for.",
    )
