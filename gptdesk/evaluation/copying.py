"""Sounds the alarm when a model writes its training text down word for word."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gptdesk.evaluation.overlap import longest_overlaps
from gptdesk.evaluation.text_scores import CharacterTokenizer

ALARM_WORDS = 15
"""Runs of as many words are no chance: in English prose of other authors they are next to none.
Chinese and Japanese count by the character, and `ALARM_CHARACTERS` is theirs."""
ALARM_CHARACTERS = 30

_FORMULA = 3  # a run that the text itself repeats so often is a formula, a title, a refrain
_LEAST_VARIETY = 0.5


@dataclass(frozen=True, slots=True)
class Copied:
    """The longest run of words that a sample shares with the training text.

    Attributes:
        sample: number of the sample.
        words: how long the run is.
        text: the words, in lower case and without punctuation.
        occurrences: how often it stands in the training text; 0 where nobody counted, as it is
            too short to be of interest.
        is_alarming: it is long, and neither a formula of the text nor the same few words again.
    """

    sample: int
    words: int
    text: str
    occurrences: int = 0
    is_alarming: bool = False


def copied_runs(samples: Sequence[str], learnt: Callable[[], Iterable[str]]) -> list[Copied]:
    """The longest run of each sample that stands in the training text, the longest first.

    Args:
        samples: what a model wrote.
        learnt: opens the documents it was trained on; called twice where something is long.
    """
    runs = [
        Copied(overlap.sample, overlap.words, overlap.text)
        for overlap in longest_overlaps(samples, learnt())
    ]
    long = {run.text: 0 for run in runs if _is_long(run)}
    if long:
        words = CharacterTokenizer()
        for document in learnt():
            flat = f" {' '.join(words.tokenize(document))} "
            for text in long:
                long[text] += flat.count(f" {text} ")
    return [_judged(run, long[run.text]) if run.text in long else run for run in runs]


def _is_long(run: Copied) -> bool:
    single = sum(len(word) == 1 and not word.isascii() for word in run.text.split(" "))
    return run.words >= (ALARM_CHARACTERS if single > run.words / 2 else ALARM_WORDS)


def _judged(run: Copied, occurrences: int) -> Copied:
    words = run.text.split(" ")
    varied = len(set(words)) >= _LEAST_VARIETY * len(words)
    return dataclasses.replace(
        run, occurrences=occurrences, is_alarming=varied and occurrences < _FORMULA
    )
