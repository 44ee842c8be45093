"""Names and shapes of all parameters of our GPT, from its config alone and without torch.

Checked against the real module by a test; it lets headers be judged before torch is imported and
before anything is allocated.
"""

from __future__ import annotations

from gptdesk.model.config import ModelConfig

Shapes = dict[str, tuple[int, ...]]

EMBEDDING = "model.embed_tokens.weight"
HEAD = "lm_head.weight"
HEAD_BIAS = "lm_head.bias"


def parameter_shapes(config: ModelConfig) -> Shapes:
    """Parameter name to shape; a tied `lm_head.weight` is the embedding and not listed."""
    shapes: Shapes = {EMBEDDING: (config.vocab_size, config.hidden_size)}
    if config.position == "learned":
        shapes["model.embed_positions.weight"] = (config.context_length, config.hidden_size)
    block = _block_shapes(config)
    for layer in range(config.num_layers):
        shapes |= {f"model.layers.{layer}.{name}": shape for name, shape in block.items()}
    shapes |= _norm_shapes("model.norm", config, config.hidden_size)
    if not config.tied_embeddings:
        shapes[HEAD] = (config.vocab_size, config.hidden_size)
    if config.head_bias:
        shapes[HEAD_BIAS] = (config.vocab_size,)
    return shapes


def _block_shapes(config: ModelConfig) -> Shapes:
    hidden, inner = config.hidden_size, config.intermediate_size
    queries, keys = config.num_heads * config.head_dim, config.num_kv_heads * config.head_dim
    linears = {
        "self_attn.q_proj": (queries, hidden, config.qkv_bias),
        "self_attn.k_proj": (keys, hidden, config.qkv_bias),
        "self_attn.v_proj": (keys, hidden, config.qkv_bias),
        "self_attn.o_proj": (hidden, queries, config.attention_output_bias),
        "mlp.up_proj": (inner, hidden, config.mlp_bias),
        "mlp.down_proj": (hidden, inner, config.mlp_bias),
    }
    if config.gated_mlp:
        linears["mlp.gate_proj"] = (inner, hidden, config.mlp_bias)
    shapes: Shapes = {}
    for name, (outputs, inputs, bias) in linears.items():
        shapes[f"{name}.weight"] = (outputs, inputs)
        if bias:
            shapes[f"{name}.bias"] = (outputs,)
    if config.qk_norm is not None:
        for name, size in zip(("q_norm", "k_norm"), config.qk_norm_sizes, strict=True):
            shapes |= _norm_shapes(f"self_attn.{name}", config, size)
    for name in config.block_norm_names:
        shapes |= _norm_shapes(name, config, hidden)
    return shapes


def _norm_shapes(name: str, config: ModelConfig, size: int) -> Shapes:
    has_bias = config.norm == "layernorm" and config.norm_bias
    parts = ("weight", "bias") if has_bias else ("weight",)
    return {f"{name}.{part}": (size,) for part in parts}
