"""What a training configuration says of the finished model: its last measurement and `gptdesk.json`.

    [evaluate]            [experimental]            [sampling.translate]     [proofreading]
    rows = 2000           languages = ["de"]        temperature = 0.0        certainty = 0.8

The last three go into that file, `certainty` to the task "rewrite". Torch-free.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from gptdesk.errors import OptionError
from gptdesk.training.tables import Range, Table

_MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class EvaluateSettings(Table):
    """The measurement at the end.

    Attributes:
        rows: at most so many rows of held-out text.
    """

    TABLE: ClassVar[str] = "evaluate"
    rows: Annotated[int, Range(1)] = 2000


@dataclass(frozen=True, kw_only=True)
class ExperimentalSettings(Table):
    """Weak points, which the app marks.

    Attributes:
        languages: those of `[model] languages` that the model knows too little of.
        text_tokens: texts of more tokens than these turn out worse; None for no such length.
    """

    TABLE: ClassVar[str] = "experimental"
    languages: tuple[str, ...] = ()
    text_tokens: Annotated[int, Range(1)] | None = None

    def check(self, known: Collection[str]) -> None:
        """Raise OptionError for a language that the model does not know at all."""
        for code in self.languages:
            if code not in known:
                raise OptionError(
                    f'[experimental] languages names "{code}", which [model] languages does not.',
                    "Write the language into both, or into neither.",
                )


@dataclass(frozen=True, kw_only=True)
class ProofreadingSettings(Table):
    """How careful the model is with a writer's text.

    Attributes:
        certainty: a correction whose words the model finds less probable is not made.
    """

    TABLE: ClassVar[str] = "proofreading"
    certainty: Annotated[float, Range(0, 1)] = 0.0


@dataclass(frozen=True, kw_only=True)
class TaskSampling(Table):
    """Decoding of one task, laid over the usual; None keeps the usual.

    The keys are the fields of `gptdesk.generation.sampling.Sampling` that suit a maker's advice,
    with the same bounds; that layer is above this one, so a test compares the two.
    """

    TABLE: ClassVar[str] = "sampling.TASK"
    max_new_tokens: Annotated[int, Range(1, _MOST)] | None = None
    min_new_tokens: Annotated[int, Range(0, _MOST)] | None = None
    temperature: Annotated[float, Range(0, 10)] | None = None
    top_k: Annotated[int, Range(0, _MOST)] | None = None
    top_p: Annotated[float, Range(0, 1)] | None = None
    min_p: Annotated[float, Range(0, 1)] | None = None
    typical_p: Annotated[float, Range(0, 1)] | None = None
    top_n_sigma: Annotated[float, Range(0, 100)] | None = None
    repetition_penalty: Annotated[float, Range(0.01, 10)] | None = None
    repetition_window: Annotated[int, Range(0, _MOST)] | None = None
    presence_penalty: Annotated[float, Range(-10, 10)] | None = None
    frequency_penalty: Annotated[float, Range(-10, 10)] | None = None
    no_repeat_ngram_size: Annotated[int, Range(0, 100)] | None = None
    dry_multiplier: Annotated[float, Range(0, 100)] | None = None
    dry_base: Annotated[float, Range(1, 10)] | None = None
    dry_allowed_length: Annotated[int, Range(1, 100)] | None = None
    xtc_probability: Annotated[float, Range(0, 1)] | None = None
    xtc_threshold: Annotated[float, Range(0, 1)] | None = None

    def values(self) -> dict[str, Any]:
        """What was set."""
        return {name: value for name, value in self.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class SamplingSettings(Table):
    """Decoding advice for each task.

    Attributes:
        continue_, summarize, translate, rewrite: the tasks.
    """

    TABLE: ClassVar[str] = "sampling"
    continue_: TaskSampling = field(default_factory=TaskSampling)
    summarize: TaskSampling = field(default_factory=TaskSampling)
    translate: TaskSampling = field(default_factory=TaskSampling)
    rewrite: TaskSampling = field(default_factory=TaskSampling)

    def by_task(self) -> dict[str, dict[str, Any]]:
        """Values of the tasks that have any."""
        found = {task: advice.values() for task, advice in self.items()}
        return {task: values for task, values in found.items() if values}
