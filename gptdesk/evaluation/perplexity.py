"""How well a model predicts a text: perplexity, and bits per byte, which no tokenizer can flatter.

A text longer than the window (the context, at most `MAX_WINDOW` tokens) is read in windows that
overlap by half: every token is counted once, and all but those of the first window after at
least half a window. The first token is
counted where the tokenizer or the model has a token to begin a text with; where not, it is left
out, and its bytes with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.generation.events import Progress

if TYPE_CHECKING:
    from gptdesk.session import Model

MAX_WINDOW = 4096
"""Tokens; reading longer ones takes time that grows with their square."""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The log-probability of some text.

    Attributes:
        nats: minus the natural logarithm of its probability.
        tokens: that were predicted.
        utf8_bytes: of the text that they are.
    """

    nats: float = 0.0
    tokens: int = 0
    utf8_bytes: int = 0

    def __add__(self, other: Likelihood) -> Likelihood:
        return Likelihood(
            self.nats + other.nats,
            self.tokens + other.tokens,
            self.utf8_bytes + other.utf8_bytes,
        )

    @property
    def perplexity(self) -> float:
        """Exponential of the mean nats of a token; depends on the tokenizer."""
        return math.exp(self.nats / self.tokens) if self.tokens else math.nan

    @property
    def bits_per_byte(self) -> float:
        """Bits of a byte of text: what an ideal compressor with this model would need."""
        return self.nats / math.log(2) / self.utf8_bytes if self.utf8_bytes else math.nan


def measure_text(
    model: Model, text: str, cancel: CancelFlag = NEVER
) -> Iterator[Progress | Likelihood]:
    """Yield progress in tokens, then the likelihood of the text; what came, if it is cancelled.

    Raises:
        EngineError: the engine failed.
    """
    ids = model.tokenizer.encode_plain(text)
    first = _first_id(model)
    sequence = ids if first is None else [first, *ids]
    total = Likelihood()
    if len(sequence) < 2:
        yield total
        return
    size = min(model.info.context_length, MAX_WINDOW)
    done = 1  # tokens of the sequence that need no more counting
    while done < len(sequence) and not cancel.is_set():
        start = 0 if done == 1 else done - size // 2
        end = min(start + size, len(sequence))
        scores = model.log_probabilities(sequence[start:end])
        counted = scores[done - 1 - start :]
        piece = model.tokenizer.decode(sequence[done:end], skip_special=False)
        nbytes = len(piece.encode("utf-8", "surrogatepass"))
        total += Likelihood(-float(counted.sum()), end - done, nbytes)
        done = end
        yield Progress(stage="reading", done=done, total=len(sequence))
    if done == len(sequence):
        total = Likelihood(total.nats, total.tokens, _counted_bytes(model, text, ids, first))
    yield total


def _first_id(model: Model) -> int | None:
    """What stands before a text: the tokenizer's own beginning, else the end of the text before."""
    framed = model.tokenizer.prefix_ids
    return framed[-1] if framed else min(model.tokenizer.end_ids, default=None)


def _counted_bytes(model: Model, text: str, ids: list[int], first: int | None) -> int:
    """Bytes of the whole text, without those of a first token that could not be predicted."""
    nbytes = len(text.encode("utf-8", "surrogatepass"))
    if first is not None:
        return nbytes
    return nbytes - len(model.tokenizer.decode(ids[:1], skip_special=False).encode("utf-8"))
