"""Classifies texts by asking which label the model finds likeliest behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import OptionError
from gptdesk.evaluation.items import LabelItem
from gptdesk.generation.events import Progress

if TYPE_CHECKING:
    from gptdesk.session import Model

PLACE = "{text}"
DEFAULT_PROMPT = "{text}\n\nLabel:"


@dataclass(frozen=True, slots=True)
class Labelling:
    """How labels are asked for.

    Attributes:
        prompt: what stands before a label; `{text}` is the text.
        words: label of the file to what is written for it behind the prompt; labels that are not
            here are written as they are.

    Raises:
        OptionError: the prompt has no place for the text.
    """

    prompt: str = DEFAULT_PROMPT
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if PLACE not in self.prompt:
            raise OptionError(f"The prompt has no {PLACE} in it.", f"Write {PLACE} into it.")

    def word(self, label: str) -> str:
        """What is written for a label."""
        return self.words.get(label, label)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One text with the label that the model found likeliest, and each label's log-probability."""

    item: LabelItem
    label: str
    scores: Mapping[str, float]


def label_all(
    model: Model, items: Sequence[LabelItem], labelling: Labelling, cancel: CancelFlag = NEVER
) -> Iterator[Progress | Labelled]:
    """Yield the label of each item, and progress in items; fewer if it is cancelled.

    Raises:
        OptionError: all items have the same label: there is nothing to choose from.
        ContextOverflowError: a text is longer than the context.
    """
    labels = sorted({item.label for item in items})
    if len(labels) < 2:
        raise OptionError(
            f"All texts have the label {labels[0]!r}.", "Give texts of at least two classes."
        )
    for number, item in enumerate(items, 1):
        if cancel.is_set():
            return
        prompt = model.tokenizer.encode(labelling.prompt.replace(PLACE, item.text))
        scores = {label: _score(model, prompt, labelling.word(label)) for label in labels}
        yield Labelled(item, max(scores, key=scores.__getitem__), scores)
        yield Progress(stage="part", done=number, total=len(items))


def label_measures(labelled: Sequence[Labelled]) -> dict[str, float]:
    """Accuracy in percent, beside that of always saying the commonest label."""
    counts = Counter(one.item.label for one in labelled)
    return {
        "accuracy": 100 * sum(one.label == one.item.label for one in labelled) / len(labelled),
        "commonest label": 100 * max(counts.values()) / len(labelled),
    }


def _score(model: Model, prompt: list[int], word: str) -> float:
    """Log-probability of " word" behind the prompt."""
    continuation = model.tokenizer.encode_plain(f" {word}")
    scores = model.log_probabilities([*prompt, *continuation])
    return float(scores[-len(continuation) :].sum())
