"""The seam between generation and whatever computes: all that the rest knows of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from gptdesk.errors import ContextOverflowError, EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gptdesk.cancel import CancelFlag
    from gptdesk.checkpoints.adapter_folder import AdapterFolder
    from gptdesk.generation.events import Progress

    Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the status bar and the statistics say of an engine.

    Attributes:
        name: "torch", "onnx" or "fake".
        device: "cpu", "cuda:0", "mps".
        precision: of the arithmetic: "fp32", "bf16", "fp16", "int8".
        context_length: tokens the model can attend to.
        vocab_size: width of the logits.
        weight_bytes: bytes the weights occupy in memory.
        plain_context: tokens up to which keys do not depend on how long the text is in the end;
            None where they never do.
        rereads_long_texts: beyond that all longer texts share one kind of keys, and the engine
            reads again what it holds. Otherwise each length has its own kind.
    """

    name: str
    device: str
    precision: str
    context_length: int
    vocab_size: int
    weight_bytes: int
    plain_context: int | None = None
    rereads_long_texts: bool = False

    def kind_of_keys(self, length: int) -> int:
        """A number that is the same for two lengths of text whose tokens have the same keys."""
        if self.plain_context is None or length <= self.plain_context:
            return 0
        return 1 if self.rereads_long_texts else length


class Engine(Protocol):
    """One model with the KV cache of one sequence. Used by one thread at a time.

    Prefill is `extend(prompt)` in chunks, so that cancel and progress work inside a long prompt;
    decoding is `extend([id])`; an edit or a retry is `truncate` to the common prefix.
    """

    @property
    def info(self) -> EngineInfo:
        """What runs, where, and how large it is."""
        ...

    @property
    def length(self) -> int:
        """Tokens now in the KV cache."""
        ...

    def extend(self, ids: Sequence[int], *, last: int = 1, whole: int = 0) -> Logits:
        """Feed tokens behind those already held.

        Args:
            ids: at least one token id below `info.vocab_size`.
            last: how many of the final positions to return logits for; 1 ≤ last ≤ len(ids).
            whole: length of the text that these ids are part of, where more of it is to follow.
                It matters beyond `info.plain_context`: keys are those of a text so long.

        Returns:
            float32 logits [last, vocab_size].

        Raises:
            ContextOverflowError: the cache would exceed `info.context_length`; it is unchanged.
            OutOfMemoryError: the device has no room; the cache is as before the call.
            EngineError: the runtime failed for another reason.
        """
        ...

    def truncate(self, length: int) -> None:
        """Forget every token after the first `length`; more than `self.length` is a no-op."""
        ...

    def close(self) -> None:
        """Free the weights and the cache; further calls are errors. Closing twice is fine."""
        ...


@runtime_checkable
class Adaptable(Protocol):
    """An engine that can put a LoRA adapter on its model. Every change forgets all tokens."""

    def load_adapter(
        self,
        folder: AdapterFolder,
        progress: Callable[[Progress], None] | None = None,
        cancel: CancelFlag | None = None,
    ) -> list[str]:
        """Put an adapter on, in place of the one before, which stays when this fails.

        Returns:
            What is wrong with it but not fatal.

        Raises:
            CheckpointError: it is damaged, or was made for another model.
            Cancelled: the person stopped it.
        """
        ...

    def set_adapter_enabled(self, enabled: bool) -> None:
        """Switch the adapter on or off."""
        ...

    def remove_adapter(self) -> None:
        """Take the adapter out and free it."""
        ...


def check_input(info: EngineInfo, held: int, ids: Sequence[int], last: int) -> None:
    """Refuse what no engine may be fed behind the `held` tokens of its cache.

    Runtimes do not all refuse it by themselves: some take a negative id for one counted from the
    end, and write past a full cache.

    Raises:
        ContextOverflowError: the cache would exceed the context.
        EngineError: an id is outside the vocabulary, or `last` outside 1 … len(ids).
    """
    if not 1 <= last <= len(ids):
        raise EngineError(f"Logits of {last} positions were asked for {len(ids)} tokens.")
    if min(ids) < 0 or max(ids) >= info.vocab_size:
        raise EngineError(
            f"A token id is outside the model's vocabulary of {info.vocab_size}.",
            "Its tokenizer belongs to another model.",
        )
    if held + len(ids) > info.context_length:
        raise ContextOverflowError(
            f"The text needs {held + len(ids):,} tokens; the model can attend to "
            f"{info.context_length:,}.",
            "Shorten the text, or use a model with a longer context.",
        )
