"""Speed of a loaded model: prefill, decoding, first token, loading, memory."""

from __future__ import annotations

import contextlib
import platform
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gptdesk.errors import OptionError
from gptdesk.generation.context import CHUNK

if TYPE_CHECKING:
    from gptdesk.engines.base import Engine
    from gptdesk.session import Model


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Medians over the runs.

    Attributes:
        load_seconds: from the call to a usable model, imports included when they were needed.
        first_token_seconds: a prompt of `prompt_tokens` read and the first token chosen.
        prefill_tokens_per_second, decode_tokens_per_second: reading, and writing one by one.
        decode_gigabytes_per_second: weights read per second while decoding; compare it with the
            machine's memory bandwidth, which bounds it.
        rss_megabytes: resident memory of the whole process at the end.
    """

    model: str
    engine: str
    device: str
    precision: str
    prompt_tokens: int
    new_tokens: int
    runs: int
    load_seconds: float
    first_token_seconds: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    decode_gigabytes_per_second: float
    rss_megabytes: float


def measure(
    load: Callable[[], Model],
    *,
    prompt_tokens: int,
    new_tokens: int,
    runs: int,
) -> BenchReport:
    """Load a model and time it after one run of warm-up.

    Raises:
        OptionError: prompt and answer do not fit the model's context.
    """
    start = time.perf_counter()
    model = load()
    load_seconds = time.perf_counter() - start
    with contextlib.closing(model):
        info = model.info
        if prompt_tokens + new_tokens > info.context_length:
            raise OptionError(
                f"{prompt_tokens} + {new_tokens} tokens exceed the model's context of "
                f"{info.context_length}.",
                "Give smaller --prompt-tokens or --new-tokens.",
            )
        prompt = random.Random(0).choices(range(info.vocab_size), k=prompt_tokens)
        timings = [_time_once(model.engine, prompt, new_tokens) for _ in range(runs + 1)]
        prefill, decode = (statistics.median(column) for column in zip(*timings[1:], strict=True))
        rate = new_tokens / decode
        return BenchReport(
            model=model.path.name,
            engine=info.name,
            device=info.device,
            precision=info.precision,
            prompt_tokens=prompt_tokens,
            new_tokens=new_tokens,
            runs=runs,
            load_seconds=load_seconds,
            first_token_seconds=prefill,
            prefill_tokens_per_second=prompt_tokens / prefill,
            decode_tokens_per_second=rate,
            decode_gigabytes_per_second=rate * info.weight_bytes / 1e9,
            rss_megabytes=_resident_bytes() / 1e6,
        )


def _time_once(engine: Engine, prompt: list[int], new_tokens: int) -> tuple[float, float]:
    """Seconds to read the prompt and choose a token; seconds to decode greedily after it."""
    engine.truncate(0)
    start = time.perf_counter()
    for begin in range(0, len(prompt), CHUNK):
        logits = engine.extend(prompt[begin : begin + CHUNK], whole=len(prompt))
    token = int(logits[-1].argmax())
    middle = time.perf_counter()
    for _ in range(new_tokens):
        token = int(engine.extend([token])[-1].argmax())
    return middle - start, time.perf_counter() - middle


def _resident_bytes() -> int:
    """Memory of this process in bytes: now where the system tells, else its peak."""
    system = platform.system()
    if system == "Linux":
        with open("/proc/self/statm") as file:  # noqa: PTH123 - not a file on a disk
            import resource

            return int(file.read().split()[1]) * resource.getpagesize()
    if system == "Darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0
