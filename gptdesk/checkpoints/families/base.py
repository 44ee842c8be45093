"""What a model family consists of: how its config.json reads, and how its tensors are named."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gptdesk.checkpoints.layout import HEAD, parameter_shapes
from gptdesk.checkpoints.row_order import RowOrder
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.model.config import MAX_CONTEXT, Activation, ModelConfig

CONFIG_NAME = "config.json"
MAX_SIZE = MAX_CONTEXT  # the widest of the limits of `ModelConfig`

ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_python": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_accurate": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "gelu_python_tanh": "gelu_tanh",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "relu2": "relu2",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}
ACTIVATION_NAMES: dict[Activation, str] = {
    "gelu": "gelu",
    "gelu_tanh": "gelu_pytorch_tanh",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "relu2": "relu2",
    "silu": "silu",
    "tanh": "tanh",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How one stored tensor becomes parameters of ours, and back.

    The stored tensor is transposed where asked, its rows are put into our order, and it is cut
    along its first axis into `ours`, each as long as that parameter's first axis. Backwards:
    joined, put into their order, transposed.

    Attributes:
        theirs: name in the file; `{i}` is the layer.
        ours: one name, or several that are fused in the file.
        transpose: stored as (inputs, outputs) where we have (outputs, inputs).
        interleaved: the rows of `ours` alternate, head by head; all have as many heads. See
            `row_order`.
        paired: rows of each head are stored with the two that rotation turns together side by
            side, where we have half a head between them; for queries and keys only.
        added: what the stored numbers are larger by than ours.
    """

    theirs: str
    ours: tuple[str, ...]
    transpose: bool = False
    interleaved: bool = False
    paired: bool = False
    added: float = 0.0

    def row_order(self, config: ModelConfig, rows: tuple[int, ...]) -> RowOrder | None:
        """The order of the stored rows, `rows` of each of `ours`; None where it is ours."""
        if not (self.interleaved or self.paired):
            return None
        return RowOrder(
            heads=rows[0] // config.head_dim,
            head_dim=config.head_dim,
            parts=len(self.ours),
            paired=(config.rotary_dim or config.head_dim) if self.paired else 0,
        )


def renamed(modules: Mapping[str, str]) -> tuple[Rule, ...]:
    """Rules for modules that differ in their names only, theirs to ours: weights and biases."""
    return tuple(
        Rule(f"{theirs}.{part}", (f"{ours}.{part}",))
        for theirs, ours in modules.items()
        for part in ("weight", "bias")
    )


@dataclass(frozen=True, slots=True)
class Family:
    """One `model_type` of Hugging Face configs.

    Attributes:
        model_type: key in config.json.
        architecture: class name written into saved configs.
        read: config.json to `ModelConfig`.
        write: `ModelConfig` to the keys of config.json that describe the shape.
        rules: tensors that differ from ours; all others have the same name and shape.
        prefix: start of the names of the inner model, absent in files saved without a head.
        ignored: regular expressions of stored buffers that can be computed.
        synonyms: names that tensors have in files of other versions, to those in the rules.
        biases: flags of `ModelConfig` for biases that its files cannot leave out: a model without
            them is saved with zeros, which add nothing.
    """

    model_type: str
    architecture: str
    read: Callable[[ConfigReader], ModelConfig]
    write: Callable[[ModelConfig], dict[str, Any]]
    rules: tuple[Rule, ...] = ()
    prefix: str = "model."
    ignored: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    biases: tuple[str, ...] = ()

    @property
    def head_name(self) -> str:
        """What files call the output matrix."""
        return next((rule.theirs for rule in self.rules if rule.ours == (HEAD,)), HEAD)

    def saved_config(self, config: ModelConfig) -> ModelConfig:
        """The shape that a model of this shape is saved in."""
        added: dict[str, Any] = dict.fromkeys(self.biases, True)
        return replace(config, **added)

    def sources(self, config: ModelConfig) -> Iterator[Rule]:
        """One rule per tensor that a file of this shape holds, layers filled in."""
        left = dict.fromkeys(parameter_shapes(config))
        for rule in self.rules:
            layers = range(config.num_layers) if "{i}" in rule.theirs else range(1)
            for i in layers:
                ours = tuple(name.replace("{i}", str(i)) for name in rule.ours)
                if ours[0] in left:
                    yield replace(rule, theirs=rule.theirs.replace("{i}", str(i)), ours=ours)
                for name in ours:
                    left.pop(name, None)
        for name in left:
            yield Rule(name, (name,))


class ConfigReader:
    """Typed access to a parsed config.json; every complaint names the file and the key."""

    def __init__(self, data: Mapping[str, Any], source: str = CONFIG_NAME) -> None:
        self.data = data
        self.source = source

    def with_values(self, **values: Any) -> ConfigReader:
        """The same file with other values."""
        return ConfigReader({**self.data, **values}, self.source)

    def with_defaults(self, **values: Any) -> ConfigReader:
        """The same file with values for keys that are absent or null."""
        absent = {key: value for key, value in values.items() if self.data.get(key) is None}
        return self.with_values(**absent)

    def integer(self, key: str, default: int | None = None, *, least: int = 1) -> int:
        """A size; without default the key must be there. null counts as absent.

        `ModelConfig` has limits of its own, but knows neither the file nor the file's name for it.
        """
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= MAX_SIZE:
            raise self.invalid(key, f"a whole number from {least} to {MAX_SIZE}")
        return value

    def width_and_heads(self, width_key: str, heads_key: str) -> tuple[int, int]:
        """The width of the residual stream, and the heads that share it evenly."""
        width, heads = self.integer(width_key), self.integer(heads_key)
        if width % heads:
            raise self.invalid(heads_key, f"a divisor of {width_key} = {width}")
        return width, heads

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number; default and null as in `integer`."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.invalid(key, "a number")
        try:
            number = float(value)
        except OverflowError as error:
            raise self.invalid(key, "a smaller number") from error
        if not math.isfinite(number):
            raise self.invalid(key, "a finite number")
        return number

    def flag(self, key: str, default: bool) -> bool:
        """A boolean."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.invalid(key, "true or false")
        return value

    def activation(self, key: str, default: str) -> Activation:
        """An activation function by the name that `transformers` gives it."""
        value = self._value(key, default)
        if not isinstance(value, str) or value not in ACTIVATIONS:
            raise self.unsupported(key, value)
        return ACTIVATIONS[value]

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers, which must be there."""
        values = self._value(key, None)
        wrong = self.invalid(key, "a list of numbers")
        if not isinstance(values, list) or len(values) > MAX_SIZE:
            raise wrong
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
            raise wrong
        try:
            numbers = tuple(float(value) for value in values)
        except OverflowError as error:
            raise wrong from error
        if not all(math.isfinite(number) for number in numbers):
            raise wrong
        return numbers

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A JSON object; empty when absent."""
        value = self._value(key, {})
        if not isinstance(value, dict):
            raise self.invalid(key, "an object")
        return value

    def invalid(self, key: str, wanted: str) -> CheckpointError:
        """The error of a value of the wrong type."""
        return CheckpointError(
            f"{self.source}: {key} = {shown(self.data.get(key))} must be {wanted}.",
            "Download the model again, or correct the file.",
        )

    def unsupported(self, key: str, value: object) -> UnsupportedModelError:
        """The error of a value that is well-formed and not built."""
        return UnsupportedModelError(
            f"{self.source}: {key} = {shown(value)} is not supported by this version of gptdesk.",
            "Look for another model; the readme lists what runs.",
        )

    def _value(self, key: str, default: Any) -> Any:
        value = self.data.get(key)
        if value is not None:
            return value
        if default is None:
            raise CheckpointError(
                f"{self.source} has no key {key}, which a model of this type needs.",
                "Download the model again, or correct the file.",
            )
        return default


def shown(value: object) -> str:
    """A value short enough for an error message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def few(names: Sequence[str], most: int = 4) -> str:
    """Names for an error message, the first ones where they are many."""
    text, more = ", ".join(names[:most]), len(names) - most
    return f"{text} and {more} more" if more > 0 else text
