"""Classifies texts by asking which label the model finds likeliest behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import OptionError
from gptdesk.evaluation.items import LabelItem
from gptdesk.generation.events import Progress
from gptdesk.training.labelling import Labelling

if TYPE_CHECKING:
    from gptdesk.session import Model


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
        ContextOverflowError: the prompt is longer than the context without any text.
    """
    labels = sorted({item.label for item in items})
    if len(labels) < 2:
        raise OptionError(
            f"All texts have the label {labels[0]!r}.", "Give texts of at least two classes."
        )
    encode = model.tokenizer.encode_plain
    answers = {label: encode(labelling.answer(label)) for label in labels}
    most = model.info.context_length - max(map(len, answers.values()))
    for number, item in enumerate(items, 1):
        if cancel.is_set():
            return
        prompt = _fitting(model, labelling, item.text, most)
        scores = {label: _score(model, prompt, answer) for label, answer in answers.items()}
        yield Labelled(item, max(scores, key=scores.__getitem__), scores)
        yield Progress(stage="part", done=number, total=len(items))


def label_measures(labelled: Sequence[Labelled]) -> dict[str, float]:
    """Accuracy in percent, beside that of always saying the commonest label."""
    counts = Counter(one.item.label for one in labelled)
    return {
        "accuracy": 100 * sum(one.label == one.item.label for one in labelled) / len(labelled),
        "commonest label": 100 * max(counts.values()) / len(labelled),
    }


def _fitting(model: Model, labelling: Labelling, text: str, most: int) -> list[int]:
    """The prompt in at most so many ids; what is too long of the text is left out at its end."""
    tokenizer = model.tokenizer
    ids = tokenizer.encode_prompt(labelling.question(text))
    if len(ids) <= most:
        return ids
    starts = tokenizer.token_starts(text)
    kept = max(0, len(starts) - (len(ids) - most) - 1)  # a new border may cost a token
    return tokenizer.encode_prompt(labelling.question(text[: starts[kept]]))


def _score(model: Model, prompt: list[int], answer: list[int]) -> float:
    """Log-probability of an answer behind the prompt."""
    scores = model.log_probabilities([*prompt, *answer])
    return float(scores[-len(answer) :].sum())
