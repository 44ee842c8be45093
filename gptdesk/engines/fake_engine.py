"""An engine without a model: a few lines of arithmetic behind the same protocol, for tests and demos.

Its logits are a pure function of the ids it holds, so everything that is exact for a real engine
(prefix reuse, truncation, chunking, the same seed giving the same text) is exact here too.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gptdesk.engines.base import EngineInfo, check_input
from gptdesk.errors import EngineError

if TYPE_CHECKING:
    from gptdesk.engines.base import Logits

_SCRIPT_LOGIT = 30.0


class FakeEngine:
    """Deterministic logits from a hash of all ids held, or from a script.

    Args:
        vocab_size: width of the logits.
        context_length: tokens it accepts.
        script: ids it wants to say, in this order. It recognises how far it is by the longest
            beginning of the script that the ids held end with, so edits and retries work.
        end_id: what it wants to say once the script is over; None goes back to the hash.
        delay: seconds that each call of `extend` takes, to imitate a slow model.
    """

    def __init__(
        self,
        vocab_size: int = 256,
        context_length: int = 512,
        *,
        script: Sequence[int] = (),
        end_id: int | None = None,
        delay: float = 0.0,
    ) -> None:
        self._info = EngineInfo("fake", "cpu", "fp32", context_length, vocab_size, 0)
        self._script = list(script)
        self._end_id = end_id
        self._delay = delay
        self._ids: list[int] = []
        self._digests: list[bytes] = []  # one for each id held; each covers all ids up to its own
        self._closed = False

    @property
    def info(self) -> EngineInfo:
        """Its name, and the sizes it was made with."""
        return self._info

    @property
    def length(self) -> int:
        """Tokens held."""
        return len(self._ids)

    def extend(self, ids: Sequence[int], *, last: int = 1, whole: int = 0) -> Logits:  # noqa: ARG002
        """Hold `ids` too; logits [last, vocab_size] as `Engine.extend` promises."""
        if self._closed:
            raise EngineError("The model was closed.", "Open it again.")
        check_input(self._info, self.length, ids, last)
        if self._delay:
            time.sleep(self._delay)
        for token in ids:
            before = self._digests[-1] if self._digests else b""
            self._ids.append(int(token))
            self._digests.append(_digest(before, int(token)))
        return np.stack([self._row(end) for end in range(self.length - last + 1, self.length + 1)])

    def truncate(self, length: int) -> None:
        """Forget every token after the first `length`."""
        del self._ids[max(0, length) :], self._digests[max(0, length) :]

    def close(self) -> None:
        """Forget everything; further calls are errors."""
        self._closed = True
        self.truncate(0)

    def _row(self, end: int) -> Logits:
        """Logits after the first `end` ids: float32 [vocab_size]."""
        seed = int.from_bytes(self._digests[end - 1], "little")
        noise = np.random.Generator(np.random.PCG64(seed))
        row: Logits = noise.standard_normal(self._info.vocab_size, dtype=np.float32)
        wanted = self._scripted(self._ids[:end])
        if wanted is not None:
            row[wanted] = _SCRIPT_LOGIT
        return row

    def _scripted(self, held: list[int]) -> int | None:
        """What the script says after `held`; None when there is no script or it is over."""
        longest = min(len(held), len(self._script))
        said = next(n for n in range(longest, -1, -1) if held[len(held) - n :] == self._script[:n])
        return self._script[said] if said < len(self._script) else self._end_id


def _digest(before: bytes, token: int) -> bytes:
    return hashlib.blake2b(before + token.to_bytes(8, "little"), digest_size=16).digest()
