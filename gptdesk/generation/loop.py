"""The decoding loop: prompt in, tokens out, one at a time, until something ends it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Iterator, Sequence

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import ContextOverflowError
from gptdesk.generation.context import CachedContext
from gptdesk.generation.events import FinishReason, GenerationEnd, Progress, Stats, Token
from gptdesk.generation.sampler import Choice, Sampler
from gptdesk.generation.sampling import Sampling
from gptdesk.generation.stops import StopMatcher
from gptdesk.text.tokenizer import Tokenizer

_SEED_BITS = 32  # short enough for a person to note down


def generate(
    context: CachedContext,
    tokenizer: Tokenizer,
    prompt_ids: Sequence[int],
    sampling: Sampling,
    cancel: CancelFlag | None = None,
) -> Iterator[Progress | Token | GenerationEnd]:
    """Generate after `prompt_ids`: reading progress, then tokens, then exactly one end.

    The joined text of the tokens is the result: exactly up to a stop text, without the text of
    special tokens. A token with an end id comes only when it carries text that was held back
    because it looked like the beginning of a stop text. After a cancel, what came is kept.

    Args:
        context: the engine and its cache; the beginning it shares with the prompt is reused.
        tokenizer: turns ids into text and knows the ids that end a text.
        prompt_ids: at least one id, and fewer than the context holds.
        sampling: how tokens are chosen and when to stop.
        cancel: polled before every token and every chunk of the prompt.

    Raises:
        ContextOverflowError: the prompt leaves no room for a single token.
        OptionError: a banned or biased id does not exist, or every token is banned.
        EngineError: the engine failed, or computed NaN.
    """
    cancel = cancel or NEVER
    prompt = list(prompt_ids)
    seed = secrets.randbits(_SEED_BITS) if sampling.seed is None else sampling.seed
    vocab_size = context.engine.info.vocab_size
    sampler = Sampler(sampling, vocab_size, seed)
    _check_room(len(prompt), context.engine.info.context_length)
    run = _Run(context, tokenizer, sampling, prompt)
    yield from context.prefill(prompt, cancel)
    run.reused = context.reused
    end: FinishReason = "cancelled"
    if context.length == len(prompt):
        end = yield from _decode(run, sampler, cancel)
    yield GenerationEnd(end, run.stats(seed), run.end_logprob)


class _Run:
    """What one generation accumulates: the ids so far, the text held back, the times.

    Attributes:
        end_logprob: of the model's choice to end the text, once it was made.
    """

    def __init__(
        self, context: CachedContext, tokenizer: Tokenizer, sampling: Sampling, prompt: list[int]
    ) -> None:
        self.context = context
        self.tokenizer = tokenizer
        self.sampling = sampling
        self.history = prompt.copy()
        self.prompt_tokens = len(prompt)
        self.reused = 0
        self.end_logprob: float | None = None
        self._stream = tokenizer.stream(prompt)
        self._stops = StopMatcher(sampling.stop)
        self._start = time.perf_counter()
        self._times: list[float] = []

    @property
    def new_tokens(self) -> int:
        """Tokens generated so far."""
        return len(self.history) - self.prompt_tokens

    @property
    def room(self) -> int:
        """Tokens that may still come before a limit is reached."""
        free = self.context.engine.info.context_length - len(self.history)
        return min(self.sampling.max_new_tokens - self.new_tokens, free)

    @property
    def stopped(self) -> bool:
        """Whether a stop text came."""
        return self._stops.stopped

    def add(self, choice: Choice) -> Token:
        """Take a chosen token into the history; the last one brings all text held back."""
        self.history.append(choice.id)
        self._times.append(time.perf_counter())
        text = self._stops.push(self._stream.push(choice.id))
        if self.room == 0:
            text += self.rest()
        named = tuple((i, self.tokenizer.decode([i]), p) for i, p in choice.alternatives)
        return Token(choice.id, text, choice.logprob, named)

    def rest(self) -> str:
        """The text still held back."""
        return self._stops.push(self._stream.flush()) + self._stops.flush()

    def stats(self, seed: int) -> Stats:
        """The figures of the run, so far."""
        times = self._times
        decoding = times[-1] - times[0] if times else 0.0
        return Stats(
            prompt_tokens=self.prompt_tokens,
            reused_tokens=self.reused,
            new_tokens=self.new_tokens,
            time_to_first_token=times[0] - self._start if times else 0.0,
            tokens_per_second=(len(times) - 1) / decoding if decoding > 0 else 0.0,
            context_used=self.context.length,
            context_length=self.context.engine.info.context_length,
            seed=seed,
        )


def _decode(
    run: _Run, sampler: Sampler, cancel: CancelFlag
) -> Generator[Token, None, FinishReason]:
    """Yield the tokens after the prompt, which is in the cache; returns why they ended."""
    ends = run.tokenizer.end_ids
    while run.room > 0:
        if cancel.is_set():
            yield from _held_back(run, min(ends, default=run.history[-1]))
            return "cancelled"
        if run.new_tokens:
            run.context.feed(run.history[-1:])
        suppressed = ends if run.new_tokens < run.sampling.min_new_tokens else frozenset()
        choice = sampler.choose(run.context.logits, run.history, suppressed)
        if choice.id in ends:
            run.end_logprob = choice.logprob
            yield from _held_back(run, choice.id)
            return "stop"
        yield run.add(choice)
        if run.stopped:
            return "stop"
    return "length" if run.new_tokens == run.sampling.max_new_tokens else "context"


def _held_back(run: _Run, carrier: int) -> Iterator[Token]:
    """One token for the text that no further token can complete, if there is any."""
    text = run.rest()
    if text:
        yield Token(carrier, text)


def _check_room(prompt_tokens: int, context_length: int) -> None:
    if prompt_tokens < context_length:
        return
    raise ContextOverflowError(
        f"The prompt has {prompt_tokens} tokens; this model can attend to {context_length}, "
        "the answer included.",
        f"Shorten the text to {context_length - 1} tokens or fewer, or use a model with a "
        "longer context.",
    )
