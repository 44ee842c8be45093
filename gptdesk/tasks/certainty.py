"""How sure a model was of each part of an answer, and the changes that it was sure enough of."""

from __future__ import annotations

import bisect
import math

from gptdesk.generation.events import Token
from gptdesk.text.differences import Change, applied, changes


class Certainty:
    """The probabilities of the tokens of one answer, by their places in its text.

    Places count from the first character that is no white space, as answers are trimmed.
    """

    def __init__(self) -> None:
        self._text = ""
        self._ends: list[int] = []
        self._logprobs: list[float] = []
        self._waiting = 0.0
        self._end: float | None = None

    def push(self, token: Token) -> None:
        """Take the next token, generated with `top_logprobs` above 0."""
        # Bytes of a rare character come as tokens without text; the last one brings all of it.
        self._waiting = min(self._waiting, token.logprob or 0.0)
        self._text = (self._text + token.text).lstrip()
        if token.text:
            self._ends.append(len(self._text))
            self._logprobs.append(self._waiting)
            self._waiting = 0.0

    def end(self, logprob: float | None) -> None:
        """Take the log-probability of the model's choice to end the answer, where it is known."""
        self._end = logprob

    def of(self, start: int, end: int) -> float:
        """The probability of the least probable token from `start` to `end`.

        Where nothing stands it is that of the token behind: it was written instead of what is not
        there. At the end of the text that is the choice to end it; where unknown, it is 0.
        """
        first = bisect.bisect_right(self._ends, start)
        last = bisect.bisect_left(self._ends, max(end, start + 1))
        logprob = min(self._logprobs[first : last + 1], default=self._end)
        return 0.0 if logprob is None else math.exp(logprob)


def certain_changes(source: str, answer: str, certainty: Certainty, least: float) -> str:
    """The source with the changes towards the answer whose words are at least so probable.

    A tagger that corrects can be told to make likely edits alone (Omelianchuk et al. 2020,
    2020.bea-1.16); here the probability of an edit is that of the words that make it.
    """
    if not least or source == answer:
        return answer

    def is_certain(change: Change) -> bool:
        return certainty.of(*_decided(source, answer, change)) >= least

    return applied(source, answer, list(filter(is_certain, changes(source, answer))))


def _decided(source: str, answer: str, change: Change) -> tuple[int, int]:
    """Where a change was decided, in the answer.

    A word twice in a row is put in, or taken out, at the second: until there both texts are alike.
    """
    start, end, new_start, new_end = change
    if start == end:
        while new_end < len(answer) and answer[new_start] == answer[new_end]:
            new_start, new_end = new_start + 1, new_end + 1
    elif new_start == new_end:
        while end < len(source) and source[start] == source[end]:
            start, end, new_end = start + 1, end + 1, new_end + 1
        new_start = new_end
    return new_start, new_end
