"""The engine's KV cache together with the ids in it, so that a shared beginning is read only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gptdesk.cancel import CancelFlag
from gptdesk.errors import ContextOverflowError, EngineError
from gptdesk.generation.events import Progress

if TYPE_CHECKING:
    from gptdesk.engines.base import Engine, Logits

CHUNK = 128
"""Tokens read at once: large enough for the matrix units, small enough for a quick cancel."""


class CachedContext:
    """One engine and the ids whose keys and values it holds. Used by one thread at a time.

    Attributes:
        engine: the engine; nobody else may extend or truncate it.
        reused: how many tokens of the last prefill were already in the cache.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.reused = 0
        self._ids: list[int] = []
        self._kinds: list[int] = []  # of the keys of each of them: `EngineInfo.kind_of_keys`
        self._logits: Logits | None = None

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids in the cache."""
        return tuple(self._ids)

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return len(self._ids)

    @property
    def logits(self) -> Logits:
        """float32 logits [vocab_size] after the last token fed."""
        if self._logits is None:
            raise EngineError("No token was fed to the model yet.")
        return self._logits

    def prefill(
        self, ids: Sequence[int], cancel: CancelFlag | None = None, *, whole: int = 0
    ) -> Iterator[Progress]:
        """Make the cache hold exactly `ids`, reusing the beginning it shares with them.

        At least the last token is always fed, because its logits are what the caller is after.
        Yields progress in tokens before the first chunk and after each one. A cancel ends it
        between two chunks: what was read stays in the cache and is reused by the next prefill.
        `whole` as in `Engine.extend`.

        Raises:
            ContextOverflowError: `ids` is longer than the context; the cache is unchanged.
            EngineError: there is no token, or the engine failed; the cache holds what it held
                when the failing chunk began.
        """
        total = len(ids)
        if total == 0:
            raise EngineError("There is no token to read.", "Write a few words first.")
        self.check_room(total)
        whole = max(whole, total)
        self.reused = min(_common_prefix(self._ids, ids), self._usable(whole), total - 1)
        self._truncate(self.reused)
        yield Progress(stage="reading", done=self.length, total=total)
        while self.length < total and not (cancel is not None and cancel.is_set()):
            self.feed(ids[self.length : self.length + CHUNK], whole=whole)
            yield Progress(stage="reading", done=self.length, total=total)

    def check_room(self, tokens: int) -> None:
        """Raise `ContextOverflowError` if the context cannot hold so many tokens."""
        limit = self.engine.info.context_length
        if tokens > limit:
            raise ContextOverflowError(
                f"The text has {tokens} tokens; this model can attend to {limit}.",
                "Use a shorter text, or a model with a longer context.",
            )

    def clear(self) -> None:
        """Forget every token."""
        self._truncate(0)

    def feed(self, ids: Sequence[int], *, last: int = 1, whole: int = 0) -> Logits:
        """Extend the cache by `ids`; returns logits [last, vocab_size] and keeps the last row."""
        held = len(self._ids)
        try:
            rows = self.engine.extend(ids, last=last, whole=whole)
        except BaseException:
            self._truncate(held)
            raise
        self._ids.extend(ids)
        self._note_kind(max(whole, len(self._ids)))
        self._logits = rows[-1]
        return rows

    def _usable(self, whole: int) -> int:
        """How many tokens from the first on have the keys they need in a text of that length."""
        wanted = self.engine.info.kind_of_keys(whole)
        return next(
            (place for place, kind in enumerate(self._kinds) if kind != wanted), len(self._kinds)
        )

    def _note_kind(self, whole: int) -> None:
        """Keep in mind what keys the tokens have that were fed as part of such a text."""
        info = self.engine.info
        kind = info.kind_of_keys(whole)
        if info.rereads_long_texts and kind not in self._kinds[-1:]:
            self._kinds.clear()  # the engine has read again what it held
        self._kinds.extend([kind] * (len(self._ids) - len(self._kinds)))

    def _truncate(self, length: int) -> None:
        # The engine first: if that fails, the ids must not claim less than the engine holds.
        self.engine.truncate(length)
        del self._ids[length:], self._kinds[length:]
        self._logits = None


def _common_prefix(held: Sequence[int], wanted: Sequence[int]) -> int:
    pairs = zip(held, wanted, strict=False)
    return next(
        (place for place, (a, b) in enumerate(pairs) if a != b), min(len(held), len(wanted))
    )
