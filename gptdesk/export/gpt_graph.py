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
from gptdesk.export.attention_graph import ATTENTIONS, AttentionWriter, softcap
from gptdesk.export.graph import GraphBuilder
from gptdesk.export.weight_file import WeightFile
from gptdesk.model.config import QUICK_GELU, ModelConfig

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
        bias = [self._vector("lm_head.bias")] if config.head_bias else []
        logits = graph.node("Gemm", x, head, *bias, transB=1)  # (L, vocab_size)
        if config.logit_divisor != 1:
            logits = graph.node("Div", logits, graph.number(config.logit_divisor))
        if config.logit_softcap is not None:
            softcap(graph, logits, config.logit_softcap)
        graph.name_last(fmt.LOGITS)

    def _embedding(self) -> str:
        table = self._table("model.embed_tokens.weight")
        x = self.graph.node("Gather", table, fmt.INPUT_IDS)  # (T, hidden_size)
        if self.config.embedding_scale != 1:
            x = self.graph.node("Mul", x, self.graph.number(self.config.embedding_scale))
        if self.config.position == "learned":
            places = self._table("model.embed_positions.weight")
            x = self.graph.node("Add", x, self.graph.node("Gather", places, fmt.POSITION_IDS))
        return x

    def _block(self, x: str, layer: int, attention: AttentionWriter) -> str:
        config, prefix = self.config, f"model.layers.{layer}."
        norms = config.block_norm_names
        normed = x
        if "input_layernorm" in norms:
            normed = self._norm(x, f"{prefix}input_layernorm")
        attended = self._attention(normed, layer, attention)
        if config.block_norms != "before":
            attended = self._norm(attended, f"{prefix}post_attention_layernorm")
        if config.residual == "sequential":
            x = normed = self._add(x, attended)
        elif config.residual == "parallel":
            normed = x
        if config.block_norms == "before" and "post_attention_layernorm" in norms:
            normed = self._norm(normed, f"{prefix}post_attention_layernorm")
        if "pre_feedforward_layernorm" in norms:
            normed = self._norm(normed, f"{prefix}pre_feedforward_layernorm")
        out = self._mlp(normed, f"{prefix}mlp")
        if "post_feedforward_layernorm" in norms:
            out = self._norm(out, f"{prefix}post_feedforward_layernorm")
        if config.residual != "sequential":
            x = self._add(x, attended)
        return self._add(x, out)

    def _add(self, x: str, change: str) -> str:
        graph, scale = self.graph, self.config.residual_scale
        if scale != 1:
            change = graph.node("Mul", change, graph.number(scale))
        return graph.node("Add", x, change)

    def _attention(self, x: str, layer: int, attention: AttentionWriter) -> str:
        prefix = f"model.layers.{layer}.self_attn"
        names = [f"{prefix}.{part}_proj" for part in "qkv"]
        qkv = self._linear(x, f"{prefix}.qkv_proj", names, bias=self.config.qkv_bias)
        if self.config.qk_norm is not None:
            qkv = self._norm_queries_and_keys(qkv, prefix)
        attended = attention.write(layer, qkv)  # (T, n_head * head_dim)
        bias = self.config.attention_output_bias
        return self._linear(attended, f"{prefix}.o_proj", bias=bias)

    def _norm_queries_and_keys(self, qkv: str, prefix: str) -> str:
        """Normalise the queries and keys of qkv (T, (n_head + 2 * n_kv_head) * head_dim)."""
        config, graph = self.config, self.graph
        width = 1 if config.qk_norm == "head" else config.head_dim  # of an entry of axis 1
        heads, kv_heads = config.num_heads * width, config.num_kv_heads * width
        if config.qk_norm == "head":
            qkv = graph.node("Reshape", qkv, graph.ints(-1, heads + 2 * kv_heads, config.head_dim))
        sizes = graph.ints(heads, kv_heads, kv_heads)
        q, k, v = graph.nodes("Split", qkv, sizes, results=3, axis=1)
        q, k = self._norm(q, f"{prefix}.q_norm"), self._norm(k, f"{prefix}.k_norm")
        joined = graph.node("Concat", q, k, v, axis=1)
        return graph.node("Reshape", joined, graph.ints(0, -1))  # (T, as before)

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
            case "quick_gelu":
                steeper = graph.node("Mul", x, graph.number(QUICK_GELU))
                return graph.node("Mul", x, graph.node("Sigmoid", steeper))
            case "relu":
                return graph.node("Relu", x)
            case "relu2":
                half = graph.node("Relu", x)
                return graph.node("Mul", half, half)
            case "silu":
                return graph.node("Mul", x, graph.node("Sigmoid", x))
            case "tanh":
                return graph.node("Tanh", x)

    def _norm(self, x: str, name: str) -> str:
        graph, eps = self.graph, self.config.norm_eps
        if self.config.norm == "layernorm":
            parts = ("weight", "bias") if self.config.norm_bias else ("weight",)
            vectors = [self._vector(f"{name}.{part}") for part in parts]
            return graph.node("LayerNormalization", x, *vectors, axis=-1, epsilon=eps)
        offset = 1 if self.config.norm_unit_offset else 0
        weights = (part + np.float32(offset) for part in self._read([f"{name}.weight"]))
        scale = graph.vector(f"{name}.weight", weights)
        # RMSNormalization came with opset 23 only; runtimes fuse this pattern by themselves.
        square = graph.node("Pow", x, graph.number(2))
        mean = graph.node("ReduceMean", square, graph.ints(-1), keepdims=1)  # (…, 1)
        shifted = graph.node("Add", mean, graph.number(eps))
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
