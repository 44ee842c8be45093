"""What a fine-tune is asked to do, as one validated dataclass, importable without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gptdesk.errors import OptionError
from gptdesk.model.lora_settings import LoraSettings
from gptdesk.training.config import Precision
from gptdesk.training.labelling import Labelling

Method = Literal["lora", "full"]

DEFAULT_LORA = LoraSettings(rank=16, alpha=32.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinetuneSettings:
    """Everything that decides a fine-tune.

    Attributes:
        model: folder or file of the model to start from.
        data: files, folders and globs of .txt, .md and .jsonl, packed or not. Lines of JSON hold
            prose under `text_key`, or questions with answers as `instruction` describes them.
        out: the folder of the result.
        method: a small adapter beside weights that stay, or all weights.
        lora: the adapter's shape.
        validation: files held out; empty holds out a share of `data`.
        validation_fraction: that share: of the documents and of the lines where there are many,
            of the end of each document where there are few.
        epochs: how often everything is seen.
        learning_rate: its peak; None takes one that suits the method and the model's size.
        max_minutes: training ends by then, decayed, whatever `epochs` says.
        context: tokens of a row; None takes the model's context, at most 512.
        batch_tokens: tokens of one step; fewer where there is little text.
        precision, device, threads: as in `[run]` of a training configuration.
        seed: of the order, of dropout and of the adapter's first weights.
        text_key: the key of a .jsonl line that holds prose.
        both_directions: translation pairs are learnt from target to source too.
        labelling: how the labels of texts are asked for.

    Raises:
        OptionError: a value is out of range.
    """

    model: Path
    data: tuple[str, ...]
    out: Path
    method: Method = "lora"
    lora: LoraSettings = field(default=DEFAULT_LORA)
    validation: tuple[str, ...] = ()
    validation_fraction: float = 0.1
    epochs: float = 3.0
    learning_rate: float | None = None
    max_minutes: float | None = None
    context: int | None = None
    batch_tokens: int = 4096
    precision: Precision = "auto"
    device: str = "auto"
    threads: int | None = None
    seed: int = 1
    text_key: str = "text"
    both_directions: bool = True
    labelling: Labelling = field(default_factory=Labelling)

    def __post_init__(self) -> None:
        if not self.data:
            raise OptionError("There is no text to learn from.", "Name a folder or files.")
        if self.method not in ("lora", "full"):
            raise OptionError(
                f'"{self.method}" is no method of fine-tuning.', 'There are "lora" and "full".'
            )
        for name in ("epochs", "learning_rate", "max_minutes"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise _out_of_range(name, value, "above 0")
        for name, least in (("context", 8), ("batch_tokens", 8), ("threads", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and not least <= value < 1 << 32:
                raise _out_of_range(name, value, f"at least {least}")
        if not 0 <= self.validation_fraction <= 0.5:
            raise _out_of_range("validation_fraction", self.validation_fraction, "from 0 to 0.5")

    @property
    def work_folder(self) -> Path:
        """Where tokens, checkpoints and figures are kept until the result stands."""
        return self.out.with_name(f"{self.out.name}.work")


def _out_of_range(name: str, value: object, wanted: str) -> OptionError:
    words = name.replace("_", " ")
    return OptionError(f"The {words} of a fine-tune cannot be {value!r}.", f"It must be {wanted}.")
