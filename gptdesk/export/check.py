"""Compares an exported graph with the model it was made from, on a short prompt."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.export.onnx_runtime import Decoder
from gptdesk.model.cache import KVCache
from gptdesk.model.gpt import GPT

TOLERANCE = 2e-4
"""Largest difference of logits, as a share of the largest logit, that counts as equal in fp32."""

_PROMPT_TOKENS = 24
_NEW_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Trace:
    """What a model said: ids fed call by call, and the logits of all their positions."""

    fed: list[list[int]]
    logits: list[NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far two models are apart.

    Attributes:
        max_difference: largest difference of two logits, divided by the largest logit.
        greedy_equal: whether the most probable token was the same at every step.
    """

    max_difference: float
    greedy_equal: bool


@torch.inference_mode()
def trace(gpt: GPT, cancel: CancelFlag | None) -> Trace:
    """Feed a prompt of arbitrary ids in two parts, then what the model itself finds best."""
    config = gpt.config
    length = max(1, min(_PROMPT_TOKENS, config.context_length // 2))
    prompt = np.random.default_rng(0).integers(0, config.vocab_size, length).tolist()
    parts = [prompt[start:end] for start, end in pairwise((0, length // 3, length)) if end > start]
    cache = KVCache(config, torch.float32, torch.device("cpu"))
    result = Trace([], [])
    for _ in range(len(parts) + min(_NEW_TOKENS, config.context_length - length)):
        raise_if_cancelled(cancel)
        ids = parts.pop(0) if parts else [int(result.logits[-1][-1].argmax())]
        result.fed.append(ids)
        result.logits.append(gpt(torch.tensor([ids]), cache)[0].numpy())
    return result


def compare(decoder: Decoder, reference: Trace, cancel: CancelFlag | None) -> Comparison:
    """Feed the same ids to the exported graph.

    Raises:
        EngineError: it does not run.
        Cancelled: the person stopped the export.
    """
    difference, equal = 0.0, True
    for ids, wanted in zip(reference.fed, reference.logits, strict=True):
        raise_if_cancelled(cancel)
        got = decoder.run(ids, len(ids))
        difference = max(difference, _distance(got, wanted))
        equal = equal and int(got[-1].argmax()) == int(wanted[-1].argmax())
    return Comparison(difference, equal)


def _distance(got: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Largest difference over largest value; damaged weights may make both the same NaN."""
    if got.shape != wanted.shape or not np.array_equal(np.isfinite(got), np.isfinite(wanted)):
        return float("inf")
    finite = np.isfinite(wanted)
    largest = np.abs(wanted, where=finite, out=np.zeros_like(wanted)).max()
    difference = np.abs(np.where(finite, got, 0) - np.where(finite, wanted, 0)).max()
    return float(difference / largest) if largest else float(difference)
