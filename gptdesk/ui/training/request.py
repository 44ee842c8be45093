"""What the person wants the model to learn from, and the command that does it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DEFAULT_MINUTES = 15
LORA, FULL = "lora", "full"


@dataclass(frozen=True)
class TeachingRequest:
    """One order to fine-tune a model; the same order given again goes on where it was stopped.

    Attributes:
        model: folder or file of the model.
        sources: files and folders of text.
        out: folder of what is learnt.
        minutes: how long at most.
        method: "lora" or "full".
    """

    model: str
    sources: tuple[str, ...]
    out: str
    minutes: int = DEFAULT_MINUTES
    method: str = LORA

    @property
    def name(self) -> str:
        """What the result is called."""
        return Path(self.out).name

    def goes_on_with(self, other: TeachingRequest) -> bool:
        """Whether `other`, to the same folder, can go on where this one was stopped."""
        return (self.model, set(self.sources), self.method) == (
            other.model,
            set(other.sources),
            other.method,
        )

    def arguments(self) -> tuple[str, ...]:
        """Arguments of the `gptdesk` command."""
        return (
            "finetune",
            self.model,
            *self.sources,
            *("--out", self.out),
            *("--method", self.method),
            *("--max-minutes", str(self.minutes)),
            *("--threads", str(threads_for_training())),
            "--json",
        )

    def as_setting(self) -> dict[str, Any]:
        """The order as the settings file keeps it."""
        return {**asdict(self), "sources": list(self.sources)}

    @classmethod
    def from_setting(cls, value: Mapping[str, Any]) -> TeachingRequest | None:
        """The order that `as_setting` kept; None when there is none, or somebody changed it."""
        try:
            made = cls(**{**value, "sources": tuple(value["sources"])})
        except (KeyError, TypeError):
            return None
        texts = (made.model, made.out, *made.sources)
        fits = (
            all(isinstance(text, str) and text for text in texts)
            and bool(made.sources)
            and isinstance(made.minutes, int)
            and made.minutes > 0
            and made.method in (LORA, FULL)
        )
        return made if fits else None


def threads_for_training() -> int:
    """Cores that training may use: all but one, which is the writer's."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, cores - 1)
