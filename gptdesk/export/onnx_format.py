"""What an exported folder looks like: the agreement between the export and the ONNX engine.

    model.onnx        the graph; each weight is a reference into the next file
    model.onnx.data   the weights, little-endian float32, each from a multiple of 4,096 bytes on
    config.json       the original one and, as `gptdesk_onnx`, format_version, precision, variant
    tokenizer and profile files as in the original folder

The graph computes one sequence of T new tokens, of which L get logits. Its cache has room for C
tokens; every `present` value is meant to be bound to the memory of the `past` value of the same
name, so that the new keys and values are written in place and nothing else moves.

    input_ids      int64 (T,)             logits             float32 (L, vocab_size)
    position_ids   int64 (T,)             present.i.key      float32 (1, n_kv_head, C, head_dim)
    logit_indices  int64 (L,), below T    present.i.value    the same
    past.i.key     float32 (1, n_kv_head, C, head_dim)
    past.i.value   the same; slots from the first new position on may hold anything finite

The large tables (embedding, output matrix, positions) are weights and inputs at once: a caller
may feed them from memory of its own, or leave them out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from gptdesk.model.config import ModelConfig

Variant = Literal["fast", "portable"]
Dimension = int | str

PRECISIONS = ("fp32",)
VARIANTS: tuple[Variant, ...] = ("fast", "portable")

INPUT_IDS = "input_ids"
POSITION_IDS = "position_ids"
LOGIT_INDICES = "logit_indices"
LOGITS = "logits"


def cache_names(layer: int) -> Iterator[tuple[str, str]]:
    """Names of one layer's cache values, (past, present), keys before values."""
    for part in ("key", "value"):
        yield f"past.{layer}.{part}", f"present.{layer}.{part}"


def inputs(config: ModelConfig) -> dict[str, tuple[str, list[Dimension]]]:
    """Name, element type as ONNX Runtime spells it, and shape of every graph input."""
    index = "tensor(int64)"
    fixed: dict[str, tuple[str, list[Dimension]]] = {
        INPUT_IDS: (index, ["T"]),
        POSITION_IDS: (index, ["T"]),
        LOGIT_INDICES: (index, ["L"]),
    }
    return fixed | {past: _cache(config) for past, _ in _all_cache_names(config)}


def outputs(config: ModelConfig) -> dict[str, tuple[str, list[Dimension]]]:
    """The same for every graph output."""
    logits: tuple[str, list[Dimension]] = ("tensor(float)", ["L", config.vocab_size])
    return {LOGITS: logits} | {present: _cache(config) for _, present in _all_cache_names(config)}


def _all_cache_names(config: ModelConfig) -> Iterator[tuple[str, str]]:
    for layer in range(config.num_layers):
        yield from cache_names(layer)


def _cache(config: ModelConfig) -> tuple[str, list[Dimension]]:
    return "tensor(float)", [1, config.num_kv_heads, "C", config.head_dim]
