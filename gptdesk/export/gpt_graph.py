"""The GPT of `gptdesk.model` as an ONNX graph, built from the flags of its `ModelConfig`.

Reads like `model/gpt.py`, with the batch dimension left away: T new tokens, L of which get logits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import onnx
from numpy.typing import NDArray

from gptdesk.checkpoints.folder import ONNX_FORMAT_VERSION
from gptdesk.export import onnx_format as fmt
from gptdesk.export.attention_graph import ATTENTIONS, AttentionWriter
from gptdesk.export.graph import GraphBuilder
from gptdesk.export.weight_file import WeightFile
from gptdesk.model.config import ModelConfig

Parameters = Callable[[str], NDArray[np.float32]]
"""Gives the parameter of the GPT with this name; called once for each, so that it can stream."""


def build(
    config: ModelConfig, parameters: Parameters, weights: WeightFile, variant: fmt.Variant
) -> onnx.ModelProto:
    """Write every weight of the model to `weights` and return its graph."""
    writer = _GPTWriter(config, parameters, GraphBuilder(weights))
    writer.write(ATTENTIONS[variant])
    return writer.graph.model(
        config.architecture,
        fmt.inputs(config),
        fmt.outputs(config),
        {"gptdesk_format": str(ONNX_FORMAT_VERSION), "variant": variant},
    )


class _GPTWriter:
    """Adds the parts of one GPT to one graph; each method adds what its namesake computes."""

    def __init__(self, config: ModelConfig, parameters: Parameters, graph: GraphBuilder) -> None:
        self.config = config
        self.graph = graph
        self._parameters = parameters

    def write(self, make_attention: Callable[[ModelConfig, GraphBuilder], AttentionWriter]) -> None:
        config, graph = self.config, self.graph
        attention = make_attention(config, graph)
        x = self._embedding()
        for layer in range(config.num_layers):
            graph.scope = f"layers.{layer}/"
            x = self._block(x, layer, attention)
        graph.scope = ""
        x = graph.node("Gather", x, fmt.LOGIT_INDICES)  # (L, hidden_size)
        x = self._norm(x, "model.norm")
        tied = config.tied_embeddings
        head = self._table("model.embed_tokens.weight" if tied else "lm_head.weight")
        graph.nodes("Gemm", x, head, transB=1, results=[fmt.LOGITS])  # (L, vocab_size)

    def _embedding(self) -> str:
        table = self._table("model.embed_tokens.weight")
        x = self.graph.node("Gather", table, fmt.INPUT_IDS)  # (T, hidden_size)
        if self.config.position == "learned":
            places = self._table("model.embed_positions.weight")
            x = self.graph.node("Add", x, self.graph.node("Gather", places, fmt.POSITION_IDS))
        return x

    def _block(self, x: str, layer: int, attention: AttentionWriter) -> str:
        prefix = f"model.layers.{layer}."
        qkv_bias = self.config.qkv_bias
        qkv_names = [f"{prefix}self_attn.{part}_proj" for part in "qkv"]
        normed = self._norm(x, f"{prefix}input_layernorm")
        qkv = self._linear(normed, f"{prefix}self_attn.qkv_proj", qkv_names, bias=qkv_bias)
        if self.config.qk_norm:
            qkv = self._norm_heads(qkv, f"{prefix}self_attn")
        attended = attention.write(layer, qkv)  # (T, n_head * head_dim)
        bias = self.config.attention_output_bias
        out = self._linear(attended, f"{prefix}self_attn.o_proj", bias=bias)
        x = self.graph.node("Add", x, out)
        normed = self._norm(x, f"{prefix}post_attention_layernorm")
        return self.graph.node("Add", x, self._mlp(normed, f"{prefix}mlp"))

    def _norm_heads(self, qkv: str, prefix: str) -> str:
        """Normalise every query and key of qkv (T, (n_head + 2 * n_kv_head) * head_dim)."""
        config, graph = self.config, self.graph
        heads, kv_heads, dim = config.num_heads, config.num_kv_heads, config.head_dim
        parts = graph.node("Reshape", qkv, graph.ints(-1, heads + 2 * kv_heads, dim))
        sizes = graph.ints(heads, kv_heads, kv_heads)
        q, k, v = graph.nodes("Split", parts, sizes, results=3, axis=1)
        q, k = self._rms_norm(q, f"{prefix}.q_norm"), self._rms_norm(k, f"{prefix}.k_norm")
        parts = graph.node("Concat", q, k, v, axis=1)  # (T, n_head + 2 n_kv_head, head_dim)
        return graph.node("Reshape", parts, graph.ints(-1, (heads + 2 * kv_heads) * dim))

    def _mlp(self, x: str, prefix: str) -> str:
        bias, graph = self.config.mlp_bias, self.graph
        if self.config.gated_mlp:
            parts = [f"{prefix}.gate_proj", f"{prefix}.up_proj"]
            both = self._linear(x, f"{prefix}.gate_up_proj", parts, bias=bias)
            gate, up = graph.nodes("Split", both, results=2, axis=1, num_outputs=2)
            inner = graph.node("Mul", self._activation(gate), up)
        else:
            inner = self._activation(self._linear(x, f"{prefix}.up_proj", bias=bias))
        return self._linear(inner, f"{prefix}.down_proj", bias=bias)

    def _activation(self, x: str) -> str:
        graph = self.graph
        match self.config.activation:
            case "gelu":
                return graph.node("Gelu", x)
            case "gelu_tanh":
                return graph.node("Gelu", x, approximate="tanh")
            case "relu":
                return graph.node("Relu", x)
            case "silu":
                return graph.node("Mul", x, graph.node("Sigmoid", x))

    def _norm(self, x: str, name: str) -> str:
        if self.config.norm == "rmsnorm":
            return self._rms_norm(x, name)
        scale, bias = self._vector(f"{name}.weight"), self._vector(f"{name}.bias")
        eps = self.config.norm_eps
        return self.graph.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=eps)

    def _rms_norm(self, x: str, name: str) -> str:
        graph, eps = self.graph, self.config.norm_eps
        scale = self._vector(f"{name}.weight")
        # RMSNormalization came with opset 23 only; runtimes fuse this pattern by themselves.
        square = graph.node("Pow", x, graph.constant(np.array(2, dtype=np.float32)))
        mean = graph.node("ReduceMean", square, graph.ints(-1), keepdims=1)  # (…, 1)
        shifted = graph.node("Add", mean, graph.constant(np.array(eps, dtype=np.float32)))
        return graph.node("Mul", graph.node("Div", x, graph.node("Sqrt", shifted)), scale)

    def _linear(self, x: str, name: str, parts: list[str] | None = None, *, bias: bool) -> str:
        """Add x @ weightᵀ + bias for x (T, in); several layers named in `parts` become one product."""
        parts = parts or [name]
        weights = self._read(f"{part}.weight" for part in parts)
        operands = [self.graph.weight(f"{name}.weight", weights)]
        if bias:
            biases = self._read(f"{part}.bias" for part in parts)
            operands.append(self.graph.vector(f"{name}.bias", biases))
        return self.graph.node("Gemm", x, *operands, transB=1)

    def _vector(self, name: str) -> str:
        return self.graph.vector(name, self._read([name]))

    def _table(self, name: str) -> str:
        return self.graph.table(name, self._read([name]))

    def _read(self, names: Iterable[str]) -> Iterator[NDArray[np.float32]]:
        return (self._parameters(name) for name in names)
