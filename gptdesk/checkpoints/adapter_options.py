"""Reading adapter_config.json, which PEFT writes beside the weights of a LoRA adapter.

The keys and their meaning: https://huggingface.co/docs/peft/package_reference/lora. Which layers
are adapted, and with what rank, is told by the tensors themselves; the file says how much their
product counts. What would change the result and is not built is refused by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, shown
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.lora_settings import is_named, scaling

ADAPTER_CONFIG = "adapter_config.json"

_NOTED = {
    "auto_mapping",
    "base_model_name_or_path",
    "exclude_modules",
    "fan_in_fan_out",  # how the base model stores its weights: its family knows
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",  # of an initialisation, which is refused by init_lora_weights
    "lora_alpha",
    "lora_dropout",
    "megatron_config",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",  # nothing without use_qalora
    "r",
    "rank_pattern",
    "alpha_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
    "velora_config",  # how gradients are stored in training
    "corda_config",
    "eva_config",
    "lora_ga_config",
}
_HARMLESS_STARTS = (True, False, None, "gaussian", "eva", "orthogonal")
"""Initialisations that leave the base model's weights alone."""

# A pattern may hang a matcher that backtracks. These pieces cannot: no group is repeated, and
# few of them can match in more than one way.
_TAME = re.compile(r"\^?(?:[\w.|()-]|\\\.|\\d\+|\[0-9\]\+|\.\*)*\$?", re.ASCII)
_MAX_CHOICES = 2
_MAX_PATTERN = 200
_MAX_PATTERNS = 4096


@dataclass(frozen=True, slots=True)
class AdapterOptions:
    """What adapter_config.json says.

    Attributes:
        rank, alpha, rslora: as in `LoraSettings`; `scaling_of` puts them together.
        alpha_pattern: other alphas, with the names that they are for.
        dropout: it was trained with.
        targets: endings of the names of adapted modules; None where only the tensors tell.
        excluded: endings of names that are not, although a target fits.
        layers: numbers of the layers that are adapted; empty for all.
        replaced: endings of the names of modules that are stored whole.
        base: name of the model it was trained on, "" if unknown.
    """

    rank: int
    alpha: float
    rslora: bool
    alpha_pattern: tuple[tuple[re.Pattern[str], float], ...]
    dropout: float
    targets: tuple[str, ...] | None
    excluded: tuple[str, ...]
    layers: tuple[int, ...]
    replaced: tuple[str, ...]
    base: str

    def scaling_of(self, module: str, rank: int) -> float:
        """Factor of the product of this module, whose A has `rank` rows."""
        patterns = self.alpha_pattern
        alpha = next((value for names, value in patterns if names.match(module)), self.alpha)
        return scaling(alpha, rank, rslora=self.rslora)

    def selects(self, module: str) -> bool:
        """Whether the file says that this module is adapted."""
        if self.targets is None:
            return True
        if any(is_named(module, name) for name in self.excluded):
            return False
        if module in self.targets:
            return True
        if not any(is_named(module, name) for name in self.targets):
            return False
        number = re.search(r"\.(\d+)\.", module)
        return not self.layers or (number is not None and int(number[1]) in self.layers)


def read_options(data: Mapping[str, Any], source: str) -> AdapterOptions:
    """Judge a parsed adapter_config.json; `source` names the file in errors.

    Raises:
        CheckpointError: a key is missing, of the wrong type or out of range.
        UnsupportedModelError: it is no LoRA adapter, or of a variant that is not built.
    """
    reader = ConfigReader(data, source)
    _refuse_variants(reader)
    return AdapterOptions(
        rank=reader.integer("r"),
        alpha=_alpha(reader),
        rslora=reader.flag("use_rslora", False),
        alpha_pattern=_alpha_pattern(reader),
        dropout=min(max(reader.number("lora_dropout", 0.0), 0.0), 0.99),
        targets=_targets(reader),
        excluded=_names(reader, "exclude_modules") or (),
        layers=_layers(reader),
        replaced=_names(reader, "modules_to_save") or (),
        base=_base(data),
    )


def _refuse_variants(reader: ConfigReader) -> None:
    data = reader.data
    kind = data.get("peft_type")
    if kind != "LORA":
        raise UnsupportedModelError(
            f"{reader.source}: peft_type = {shown(kind)} is not a kind of adapter that gptdesk "
            "applies.",
            "LoRA adapters run, those of other methods do not.",
        )
    if data.get("bias", "none") != "none":
        raise _variant(reader, "bias")
    start = data.get("init_lora_weights")
    if not any(start is known or start == known for known in _HARMLESS_STARTS):
        # PiSSA, OLoRA and others change the base model too, which the file does not repeat.
        raise _variant(reader, "init_lora_weights")
    for key, value in data.items():
        if value and key not in _NOTED and key != "bias":
            raise _variant(reader, key)


def _variant(reader: ConfigReader, key: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{reader.source}: {key[:60]} = {shown(reader.data.get(key))} is not supported by this "
        "version of gptdesk.",
        "Merge the adapter into its model with PEFT, and open the result.",
    )


def _alpha(reader: ConfigReader) -> float:
    return _positive(reader, "lora_alpha", reader.number("lora_alpha", 8))


def _alpha_pattern(reader: ConfigReader) -> tuple[tuple[re.Pattern[str], float], ...]:
    options = ConfigReader(reader.mapping("alpha_pattern"), f"{reader.source}, alpha_pattern")
    if len(options.data) > _MAX_PATTERNS:
        raise reader.unsupported("alpha_pattern", f"{len(options.data)} patterns")
    return tuple(
        (_tame(reader, key), _positive(options, key, options.number(key))) for key in options.data
    )


def _positive(reader: ConfigReader, key: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise reader.invalid(key, "a positive number")
    return value


def _targets(reader: ConfigReader) -> tuple[str, ...] | None:
    for key in ("target_modules", "exclude_modules"):
        if isinstance(reader.data.get(key), str):
            return None  # "all-linear" or a regular expression, which is never evaluated
    return _names(reader, "target_modules")


def _names(reader: ConfigReader, key: str) -> tuple[str, ...] | None:
    names = reader.data.get(key)
    if names is None:
        return None
    if isinstance(names, str):
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise reader.invalid(key, "a list of names")
    return tuple(names)


def _layers(reader: ConfigReader) -> tuple[int, ...]:
    layers = reader.data.get("layers_to_transform")
    numbers = [layers] if isinstance(layers, int) else layers or []
    if not isinstance(numbers, list) or not all(isinstance(number, int) for number in numbers):
        raise reader.invalid("layers_to_transform", "a list of whole numbers")
    return tuple(numbers)


def _base(data: Mapping[str, Any]) -> str:
    name = data.get("base_model_name_or_path")
    return name.strip()[:200] if isinstance(name, str) and name.isprintable() else ""


def _tame(reader: ConfigReader, pattern: str) -> re.Pattern[str]:
    """A key of alpha_pattern, to be matched as PEFT does, if that is certain to end soon."""
    choices = pattern.count("(") + pattern.count(".*")
    tame = len(pattern) <= _MAX_PATTERN and _TAME.fullmatch(pattern) and choices <= _MAX_CHOICES
    try:
        if tame:
            return re.compile(rf"(.*\.)?({pattern})$")
    except re.error as error:
        raise _wild(reader, pattern) from error
    raise _wild(reader, pattern)


def _wild(reader: ConfigReader, pattern: str) -> CheckpointError:
    return UnsupportedModelError(
        f"{reader.source}: alpha_pattern has the key {shown(pattern)}, a regular expression that "
        "gptdesk does not evaluate.",
        "Write the names of the layers instead.",
    )
