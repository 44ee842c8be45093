"""Causal attention over the cache as ONNX nodes, in the two variants of an export.

Both take queries, keys and values of T new tokens as one matrix, write keys and values into the
cache (C slots, of which each token sees those up to its own position) and return what every token
saw: (T, n_head * head_dim).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from onnx import TensorProto

from gptdesk.export import onnx_format as fmt
from gptdesk.export.graph import MICROSOFT, GraphBuilder
from gptdesk.model.config import ModelConfig, Rotary
from gptdesk.model.rope import inverse_frequencies, magnitude, rotation

MAX_TABLE_BYTES = 128 << 20
"""Of angles, which the fused operator wants for every position; a context of 262,144 tokens."""


class AttentionWriter(Protocol):
    """Adds attention to a graph, layer by layer; what layers share is added when it is made."""

    def write(self, layer: int, qkv: str) -> str:
        """From qkv (T, (n_head + 2 * n_kv_head) * head_dim) to (T, n_head * head_dim)."""
        ...


class PortableAttention:
    """Operators of the ONNX standard only, for any runtime and device."""

    def __init__(self, config: ModelConfig, graph: GraphBuilder) -> None:
        self._config = config
        self._graph = graph
        self._rotations = {
            rotary: self._write_rotation(rotary) for rotary in _distinct(config) if rotary
        }
        self._slots = self._write_slots()
        self._write_shapes()
        self._masks = {
            window: self._write_mask(window)
            for window in dict.fromkeys(config.window(i) for i in range(config.num_layers))
        }

    def write(self, layer: int, qkv: str) -> str:
        """See `AttentionWriter.write`."""
        config, graph = self._config, self._graph
        heads, kv_heads, dim = config.num_heads, config.num_kv_heads, config.head_dim
        qkv = graph.node("Reshape", qkv, graph.ints(1, -1, heads + 2 * kv_heads, dim))
        qkv = graph.node("Transpose", qkv, perm=[0, 2, 1, 3])  # (1, n_head + 2 n_kv_head, T, dim)
        q, k, v = graph.nodes(
            "Split", qkv, graph.ints(heads, kv_heads, kv_heads), results=3, axis=1
        )
        rotary = config.rotary(layer)
        if rotary is not None:
            q, k = (self._rotate(x, rotary) for x in (q, k))
        keys, values = (
            graph.nodes("ScatterND", past, self._slots, new, results=[present])[0]
            for new, (past, present) in zip((k, v), fmt.cache_names(layer), strict=True)
        )  # each (1, n_kv_head, C, dim)
        seen = self._attend(q, keys, values, layer)  # (1, n_head, T, dim)
        seen = graph.node("Transpose", seen, perm=[0, 2, 1, 3])  # (1, T, n_head, dim)
        return graph.node("Reshape", seen, graph.ints(-1, heads * dim))  # (T, n_head * dim)

    def _attend(self, q: str, keys: str, values: str, layer: int) -> str:
        """Softmax of the masked scores times the values; the heads of a group share theirs."""
        config, graph = self._config, self._graph
        kv_heads, dim = config.num_kv_heads, config.head_dim
        groups = config.num_heads // kv_heads
        mask = self._masks[config.window(layer)]
        q = graph.node("Mul", q, graph.number(config.score_scale(layer)))
        if groups > 1:  # the query heads of one group become more rows of one product
            q = graph.node("Reshape", q, graph.ints(1, kv_heads, -1, dim))
        scores = graph.node("MatMul", q, graph.node("Transpose", keys, perm=[0, 1, 3, 2]))
        if config.attention_softcap is not None:
            scores = softcap(graph, scores, config.attention_softcap)
        if groups > 1:
            # (1, n_kv_head, groups * T, C) as (n_kv_head, groups, T, C), which the mask fits
            shape = graph.node("Concat", graph.ints(kv_heads, groups), self._mask_shape, axis=0)
            scores = graph.node("Reshape", scores, shape)
        shares = graph.node("Softmax", graph.node("Add", scores, mask), axis=-1)
        if groups > 1:
            shape = graph.node("Concat", graph.ints(1, kv_heads, -1), self._capacity, axis=0)
            shares = graph.node("Reshape", shares, shape)
        seen = graph.node("MatMul", shares, values)  # (1, n_kv_head, groups * T, dim)
        if groups > 1:
            seen = graph.node("Reshape", seen, graph.ints(1, config.num_heads, -1, dim))
        return seen

    def _write_rotation(self, rotary: Rotary) -> tuple[str, str]:
        """Cosine and sine of the angle of every new position and pair, each (T, dim / 2)."""
        graph = self._graph
        inverse = graph.constant(inverse_frequencies(rotary).numpy())
        positions = graph.node("Cast", fmt.POSITION_IDS, to=TensorProto.FLOAT)
        positions = graph.node("Unsqueeze", positions, graph.ints(1))  # (T, 1)
        angles = graph.node("Mul", positions, inverse)
        cos, sin = graph.node("Cos", angles), graph.node("Sin", angles)
        length = magnitude(rotary)
        if length == 1:
            return cos, sin
        factor = graph.number(length)
        return graph.node("Mul", cos, factor), graph.node("Mul", sin, factor)

    def _rotate(self, x: str, rotary: Rotary) -> str:
        """As `model.rope.rotate`, on x (1, n, T, head_dim)."""
        graph, kept = self._graph, self._config.head_dim - rotary.dim
        if not kept:
            return self._turn(x, *self._rotations[rotary])
        sizes = graph.ints(rotary.dim, kept)
        turned, rest = graph.nodes("Split", x, sizes, results=2, axis=-1)
        return graph.node("Concat", self._turn(turned, *self._rotations[rotary]), rest, axis=-1)

    def _turn(self, x: str, cos: str, sin: str) -> str:
        """Turn the pairs of x (1, n, T, dim) by angles whose cos and sin are (T, dim / 2)."""
        graph = self._graph
        first, second = graph.nodes("Split", x, results=2, axis=-1, num_outputs=2)
        turned_first = graph.node(
            "Sub", graph.node("Mul", first, cos), graph.node("Mul", second, sin)
        )
        turned_second = graph.node(
            "Add", graph.node("Mul", second, cos), graph.node("Mul", first, sin)
        )
        return graph.node("Concat", turned_first, turned_second, axis=-1)

    def _write_slots(self) -> str:
        """Where new keys and values go: (1, n_kv_head, T, 3), the indices (0, head, position)."""
        graph = self._graph
        heads = np.zeros((1, self._config.num_kv_heads, 1, 3), dtype=np.int64)
        heads[0, :, 0, 1] = np.arange(self._config.num_kv_heads)
        positions = graph.node("Unsqueeze", fmt.POSITION_IDS, graph.ints(1))  # (T, 1)
        places = graph.node("Mul", positions, graph.ints(0, 0, 1))  # (T, 3)
        return graph.node("Add", graph.constant(heads), places)

    def _write_shapes(self) -> None:
        """C, and (T, C), which the graph knows only when it runs."""
        graph = self._graph
        past, _ = next(fmt.cache_names(0))
        self._capacity = graph.node("Shape", past, start=2, end=3)
        self._mask_shape = graph.node(
            "Concat", graph.node("Shape", fmt.POSITION_IDS), self._capacity, axis=0
        )

    def _write_mask(self, window: int | None) -> str:
        """0 where a token may look and -inf elsewhere: (T, C)."""
        graph = self._graph
        zero, one = (graph.constant(np.array(i, dtype=np.int64)) for i in (0, 1))
        slots = graph.node("Range", zero, graph.node("Squeeze", self._capacity), one)  # (C,)
        last = graph.node("Unsqueeze", fmt.POSITION_IDS, graph.ints(1))  # (T, 1)
        hidden = graph.node("Greater", slots, last)  # (T, C)
        never, fine = graph.number(-np.inf), graph.number(0)
        mask = graph.node("Where", hidden, never, fine)
        if window is None:
            return mask
        first = graph.node("Sub", last, graph.ints(window - 1))  # (T, 1)
        return graph.node("Where", graph.node("Greater", first, slots), never, mask)


class FastAttention:
    """ONNX Runtime's fused GroupQueryAttention, which looks at the filled slots only."""

    @staticmethod
    def obstacle(config: ModelConfig) -> str:
        """What the operator does not take, for the person; "" where it fits the model."""
        if config.head_dim % (8 if config.position == "learned" else 16):
            return f"heads of width {config.head_dim}"
        if config.position == "rope" and (config.rotary_dim or 0) % 16:
            return f"positions that turn {config.rotary_dim} dimensions of a head"
        if config.position == "rope" and _table_bytes(config) > MAX_TABLE_BYTES:
            return f"a context of {config.context_length:,} tokens"
        if any(config.window(layer) for layer in range(config.num_layers)):
            # It has windows, but whether the newest token counts differs between its versions.
            return f"a sliding window of {config.sliding_window:,} tokens"
        return ""

    def __init__(self, config: ModelConfig, graph: GraphBuilder) -> None:
        self._config = config
        self._graph = graph
        last = graph.node("Gather", fmt.POSITION_IDS, graph.ints(-1))  # (1,)
        total = graph.node("Add", last, graph.ints(1))
        self._lengths = [graph.node("Cast", x, to=TensorProto.INT32) for x in (last, total)]
        self._tables = {
            rotary: self._write_tables(rotary, f"rotary.{number}")
            for number, rotary in enumerate(_distinct(config))
            if rotary is not None
        }

    def write(self, layer: int, qkv: str) -> str:
        """See `AttentionWriter.write`."""
        config, graph = self._config, self._graph
        (past_key, key), (past_value, value) = fmt.cache_names(layer)
        rotary = config.rotary(layer)
        tables = [] if rotary is None else self._tables[rotary]
        # The operator takes 0 for no cap.
        cap = {} if config.attention_softcap is None else {"softcap": config.attention_softcap}
        packed = graph.node("Unsqueeze", qkv, graph.ints(0))  # (1, T, …)
        seen = graph.nodes(
            "GroupQueryAttention",
            *(packed, "", "", past_key, past_value, *self._lengths, *tables),
            results=["", key, value],
            domain=MICROSOFT,
            num_heads=config.num_heads,
            kv_num_heads=config.num_kv_heads,
            scale=config.score_scale(layer),
            do_rotary=int(rotary is not None),
            **cap,
        )[0]
        return graph.node("Squeeze", seen, graph.ints(0))

    def _write_tables(self, rotary: Rotary, name: str) -> list[str]:
        """Cosine and sine for every position of the context, each (context_length, dim / 2)."""
        config = self._config
        positions = torch.arange(config.context_length)
        inverse = inverse_frequencies(rotary)
        tables = rotation(inverse, positions, torch.float32, magnitude(rotary))
        half = rotary.dim // 2
        return [
            self._graph.table(f"{name}.{part}", [table[:, :half].numpy()])
            for part, table in zip(("cos", "sin"), tables, strict=True)
        ]


def softcap(graph: GraphBuilder, x: str, cap: float) -> str:
    """Squeeze x to ±cap by a tanh."""
    squeezed = graph.node("Tanh", graph.node("Div", x, graph.number(cap)))
    return graph.node("Mul", squeezed, graph.number(cap))


def _distinct(config: ModelConfig) -> list[Rotary | None]:
    """The kinds of rotation that layers ask for, each once."""
    return list(dict.fromkeys(config.rotary(layer) for layer in range(config.num_layers)))


def _table_bytes(config: ModelConfig) -> int:
    return 4 * config.context_length * config.head_dim


ATTENTIONS: dict[fmt.Variant, Callable[[ModelConfig, GraphBuilder], AttentionWriter]] = {
    "fast": FastAttention,
    "portable": PortableAttention,
}
