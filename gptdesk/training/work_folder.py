"""Where a training run keeps what is not the finished model."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gptdesk import atomic
from gptdesk.training.shards import unwritable


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The places below one folder.

    Attributes:
        root: everything is below it, and it may be deleted when the model is finished.
    """

    root: Path

    @property
    def inventory(self) -> Path:
        """What the first pass over the text counted."""
        return self.root / "inventory.json"

    @property
    def tokenizer(self) -> Path:
        """Folder of the tokenizer."""
        return self.root / "tokenizer"

    @property
    def validation_tokens(self) -> Path:
        """Shards of the text held out."""
        return self.root / "tokens" / "validation"

    def train_tokens(self, source: int) -> Path:
        """Shards of one source."""
        return self.root / "tokens" / f"train-{source:03}"

    def run(self, stage: str) -> Path:
        """Checkpoints, figures and weights of the stage "pretrain" or "instruct"."""
        return self.root / stage

    def weights(self, stage: str) -> Path:
        """The weights that a finished stage leaves to the next."""
        return self.root / stage / "model.safetensors"

    @property
    def examples(self) -> Path:
        """What the packed examples were made from."""
        return self.root / "instruct" / "examples.json"

    def example_rows(self, split: str) -> Path:
        """Packed examples: "train" or "validation"."""
        return self.root / "instruct" / f"rows-{split}"

    @property
    def evaluation(self) -> Path:
        """The figures of the last stage."""
        return self.root / "evaluation.json"

    @property
    def released(self) -> Path:
        """What tells the finished model from other files at its place."""
        return self.root / "released.json"

    @property
    def lock(self) -> Path:
        """Held while a process works here."""
        return self.root / "lock"

    def create(self) -> None:
        """Make the folder.

        Raises:
            TrainingError: it cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.root, error) from error


def write_json(path: Path, data: Any) -> None:
    """Replace a file in one step; its folder is made when it is missing.

    Raises:
        TrainingError: it cannot be written or the disk is full.
    """
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step; its folder is made when it is missing.

    Raises:
        TrainingError: it cannot be written or the disk is full.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(path, text.encode("utf-8"))
    except OSError as error:
        raise unwritable(path.parent, error) from error


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file that `write_json` wrote; empty when it is missing or damaged."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def digest_of(*facts: Any) -> str:
    """A fingerprint of plain data."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
