"""Time of one choice at a vocabulary of 151,936: `python -m tests.benchmarks.sampling`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from gptdesk.generation.sampler import Sampler
from gptdesk.generation.sampling import Sampling

VOCAB = 151_936
ROUNDS = 100
HISTORY = 2_000
CASES: dict[str, dict[str, Any]] = {
    "greedy": {"temperature": 0.0},
    "temperature": {},
    "top-k 50": {"top_k": 50},
    "top-k 50, top-p 0.95": {"top_k": 50, "top_p": 0.95},
    "top-p 0.95": {"top_p": 0.95},
    "min-p 0.05": {"min_p": 0.05},
    "typical 0.95": {"typical_p": 0.95},
    "n-sigma 1": {"top_n_sigma": 1.0},
    "top-p and repetition 1.1": {"top_p": 0.95, "repetition_penalty": 1.1},
    "DRY": {"dry_multiplier": 0.8},
    "5 alternatives": {"top_k": 50, "top_logprobs": 5},
}


def main() -> None:
    """Print the median milliseconds of each case, for Zipf's law and for nearly flat logits."""
    random = np.random.default_rng(0)
    noise = random.standard_normal(VOCAB).astype(np.float32)
    # What trained models look like: the k-th most probable token has about k^-1.5 of the best.
    zipf = np.log(random.permutation(VOCAB) + 1.0).astype(np.float32) * -1.5
    history = random.integers(0, VOCAB, HISTORY).tolist()
    for name, settings in CASES.items():
        peaked, flat = (_milliseconds(logits, history, settings) for logits in (zipf, noise))
        print(f"{name:28} Zipf {peaked:6.2f} ms   nearly flat {flat:6.2f} ms")


def _milliseconds(logits: Any, history: list[int], settings: dict[str, Any]) -> float:
    sampler = Sampler(Sampling(**settings), VOCAB, seed=1)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        sampler.choose(logits, history)
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times)[ROUNDS // 2]


if __name__ == "__main__":
    main()
