"""Scores corrections by their edits, as is usual for grammatical error correction.

An edit puts other words in place of some words of a text. The gold edits lead from the text to
its correction, the made ones from the text to the answer; precision, recall and F0.5 are those of
all texts together, as in MaxMatch (Dahlmeier and Ng 2012, N12-1067) and ERRANT (Bryant, Felice and
Briscoe 2017, P17-1074). An edit reaches from one word that stays to the next, like ERRANT's with
"all-merge": two mistakes side by side are one edit, repaired only where both are. The words are
matched by longest common runs and not by their grammar, so figures that ERRANT gives for English
may differ a little, while Chinese is measured in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gptdesk.text.differences import matched, words

Edit = tuple[int, int, tuple[str, ...]]
"""First word and the one after the last, in the text, and the words in their place."""

_BETA = 0.5  # to leave right words alone counts twice as much as to find a mistake


@dataclass(frozen=True, slots=True)
class Correction:
    """A text, what people made of it, and what a model did."""

    text: str
    gold: str
    answer: str


def edits(text: str, other: str) -> frozenset[Edit]:
    """The edits that lead from one text to another; marks are words, so are Chinese characters.

    White space does not count.
    """
    old, new = words(text), words(other)
    found, start, new_start = [], 0, 0
    for at, new_at in [*matched(old, new), (len(old), len(new))]:
        if at > start or new_at > new_start:
            found.append((start, at, tuple(new[new_start:new_at])))
        start, new_start = at + 1, new_at + 1
    return frozenset(found)


def edit_measures(corrections: Sequence[Correction]) -> dict[str, float]:
    """How well mistakes are corrected, in percent.

    errors repaired: of the gold edits those that were made (recall).
    edits that were right: of the made edits those that are gold (precision).
    f0.5: both in one figure.
    clean left alone: of the texts without a mistake those that came back as they were.
    exactly right: of all texts those that came back as people made them.
    made worse: of all texts those further from what people made than before, in edits.

    What there was no chance to do has no figure, but precision is 100 where nothing was made.
    """
    gold = [edits(one.text, one.gold) for one in corrections]
    made = [edits(one.text, one.answer) for one in corrections]
    right = sum(len(wanted & done) for wanted, done in zip(gold, made, strict=True))
    precision = _percent(right, sum(map(len, made)), default=100.0)
    measures: dict[str, float] = {}
    if any(gold):
        recall = _percent(right, sum(map(len, gold)))
        measures = {"errors repaired": recall, "edits that were right": precision}
        measures["f0.5"] = _f_measure(precision, recall)
    clean = [one for one in corrections if one.text == one.gold]
    if clean:
        measures["clean left alone"] = _share([one.answer == one.text for one in clean])
    worse = [
        len(edits(one.answer, one.gold)) > len(wanted)
        for one, wanted in zip(corrections, gold, strict=True)
    ]
    exact = [one.answer == one.gold for one in corrections]
    return measures | {"exactly right": _share(exact), "made worse": _share(worse)}


def _f_measure(precision: float, recall: float) -> float:
    if not precision or not recall:
        return 0.0
    weight = _BETA * _BETA
    return (1 + weight) * precision * recall / (weight * precision + recall)


def _share(found: Sequence[bool]) -> float:
    return _percent(sum(found), len(found))


def _percent(part: int, whole: int, default: float = 0.0) -> float:
    return 100 * part / whole if whole else default
