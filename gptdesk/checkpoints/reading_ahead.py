"""Reads several tensors at once, and hands them over in order.

One thread copies what the system has cached at half of what the memory gives, and waits while
each number is looked at. Two of them read a model in the time of a plain read of its files.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch
from torch import Tensor

from gptdesk.cancel import NEVER, AnyCancelFlag, CancelFlag, ThreadCancelFlag
from gptdesk.checkpoints.plan import Step
from gptdesk.checkpoints.tensor_reader import TensorReader

_THREADS = 2
_AHEAD = 4  # tensors that are read or wait, besides the one that was handed over


def read_ahead(
    steps: Sequence[Step],
    dtype: torch.dtype,
    on_bytes: Callable[[int], None],
    cancel: CancelFlag | None,
    not_finite: set[str],
) -> Iterator[dict[str, Tensor]]:
    """Yield the parameters of each step, in order.

    Args:
        steps: what to read.
        dtype, cancel: as for `TensorReader`.
        on_bytes: as for `TensorReader`; called from several threads.
        not_finite: names of tensors with NaN or infinity in them are added to it.

    Raises:
        CheckpointError: a file changed or cannot be read.
        Cancelled: between chunks.
    """
    abandoned = ThreadCancelFlag()  # by an error, or by whoever takes the tensors
    stop = AnyCancelFlag(cancel or NEVER, abandoned)
    readers: queue.SimpleQueue[TensorReader] = queue.SimpleQueue()
    for _ in range(_THREADS):
        readers.put(TensorReader(dtype, on_bytes, stop))

    def read(step: Step) -> dict[str, Tensor]:
        reader = readers.get()
        try:
            return reader.read(step)
        finally:
            not_finite.update(reader.not_finite)
            readers.put(reader)

    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="gptdesk-read")
    left = iter(steps)
    waiting: deque[Future[dict[str, Tensor]]] = deque()
    try:
        waiting.extend(pool.submit(read, step) for step in islice(left, _AHEAD))
        while waiting:
            parameters = waiting.popleft().result()
            waiting.extend(pool.submit(read, step) for step in islice(left, 1))
            yield parameters
    finally:
        abandoned.set()
        pool.shutdown(wait=True, cancel_futures=True)
        while not readers.empty():
            readers.get().close()
