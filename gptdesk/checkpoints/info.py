"""What can be said of a model before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gptdesk.checkpoints.experimental import Experimental


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model on disk, as seen from its headers alone.

    Attributes:
        path: its folder.
        name: for the person.
        kind: "huggingface" or "onnx".
        architecture: the `model_type` of its config.json.
        parameters: how many numbers it consists of.
        context_length: tokens it can attend to.
        vocab_size: different tokens.
        precision: of the stored weights: "fp32", "fp16", "bf16".
        files: names of its files, weights first.
        bytes_on_disk: their sizes together.
        languages: codes that its maker lists; empty when unknown.
        experimental: what it is weak at, in its maker's opinion.
        memory_bytes: precision to the memory that running at it takes, as a rough estimate.
        refusal: why it cannot be loaded; "" if, by its headers, it can.
        warnings: wrong but not fatal.
    """

    path: Path
    name: str
    kind: str = ""
    architecture: str = ""
    parameters: int = 0
    context_length: int = 0
    vocab_size: int = 0
    precision: str = ""
    files: tuple[str, ...] = ()
    bytes_on_disk: int = 0
    memory_bytes: Mapping[str, int] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    experimental: Experimental = field(default_factory=Experimental)
    refusal: str = ""
    warnings: tuple[str, ...] = ()
