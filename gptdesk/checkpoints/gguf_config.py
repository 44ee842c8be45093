"""The metadata of a GGUF file as the config.json that the model had before it was converted.

So one reader per family judges both, and a model can be saved as a Hugging Face folder. Keys:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; what each converter writes is in
llama.cpp's folder conversion/.

To add an architecture whose family runs: a function here with its line in `_ARCHITECTURES`, the
names of its tensors in `gguf_rules`, and its shapes in `tests/checkpoints/test_gguf_models.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gptdesk.checkpoints.families.base import shown
from gptdesk.checkpoints.gguf_header import GgufHeader
from gptdesk.checkpoints.gguf_keys import GgufReader
from gptdesk.checkpoints.gguf_rope import read_rope_scaling
from gptdesk.checkpoints.gguf_rules import EMBEDDING, HEAD
from gptdesk.errors import CheckpointError, UnsupportedModelError

_NOT_BUILT: dict[str, tuple[object, ...]] = {
    "attention.causal": (True,),
    "attention.clamp_kqv": (0,),
    "attention.max_alibi_bias": (0,),
    "attention.scale": (0,),
    "attention.temperature_scale": (0,),
    "embedding_scale": (0, 1),
    "expert_count": (0,),
    "logit_scale": (0, 1),
    "nextn_predict_layers": (0,),
    "residual_scale": (0, 1),
    "rope.dimension_sections": (),
    "rope.scaling.alpha": (0,),
    "rope.scaling.yarn_ext_factor": (1,),
    "rope.scaling.yarn_log_multiplier": (0,),
    "use_parallel_residual": (False,),
}
"""Keys of other models of llama.cpp that change what is computed, and values that change nothing."""

_GELU = "gelu_pytorch_tanh"
_LARGEST_GEMMAS = (46, 62)  # layers of Gemma 2 and 3 with 27 B parameters


def read_gguf_config(header: GgufHeader) -> dict[str, Any]:
    """What config.json said.

    Raises:
        CheckpointError: a key or the embedding is missing, or a value makes no sense.
        UnsupportedModelError: an architecture, a mixture of experts or another thing that is not
            built.
    """
    name = header.metadata.get("general.architecture")
    if name is None:
        raise CheckpointError(
            f"{header.path} has no key general.architecture, so this is not a model.",
            "Download the file again, or look for another conversion of this model.",
        )
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        raise UnsupportedModelError(
            f"{header.path}: general.architecture = {shown(name)} is not supported by this "
            "version of gptdesk.",
            f"GGUF files of these architectures run: {', '.join(sorted(_ARCHITECTURES))}.",
        )
    reader = GgufReader(header, name)
    for key, neutral in _NOT_BUILT.items():
        if reader.has(key) and reader.value(key) not in neutral:
            raise reader.unsupported(key)
    if EMBEDDING not in header.tensors:
        raise CheckpointError(
            f"{header.path} has no tensor {EMBEDDING}.",
            "Download the model again; a file that holds only a part of a model cannot be opened.",
        )
    return {
        **_ARCHITECTURES[name](reader),
        "vocab_size": header.tensors[EMBEDDING].shape[0],
        "tie_word_embeddings": HEAD not in header.tensors,
        **_token_ids(header),
    }


def _token_ids(header: GgufHeader) -> dict[str, int | None]:
    """Ids with a role; null where there is none, as classes in `transformers` have defaults."""
    keys = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    size = header.tensors[EMBEDDING].shape[0]
    ids: dict[str, int | None] = {}
    for key, name in keys.items():
        value = header.metadata.get(f"tokenizer.ggml.{name}_token_id")
        ids[key] = value if type(value) is int and 0 <= value < size else None
    return ids


def _gpt2(reader: GgufReader) -> dict[str, Any]:
    return {
        "model_type": "gpt2",
        "n_positions": reader.integer("context_length"),
        "n_embd": reader.integer("embedding_length"),
        "n_layer": reader.integer("block_count"),
        "n_head": reader.integer("attention.head_count"),
        "n_inner": reader.integer("feed_forward_length"),
        "layer_norm_epsilon": reader.number("attention.layer_norm_epsilon"),
        "activation_function": "gelu_new",
    }


def _shape(reader: GgufReader, model_type: str, theta: float = 10_000.0) -> dict[str, Any]:
    """The keys that all but GPT-2 have in common; `theta` holds where the file names none."""
    hidden, heads = reader.integer("embedding_length"), reader.integer("attention.head_count")
    head_dim = reader.integer("attention.key_length", max(1, hidden // heads))
    if reader.integer("attention.value_length", head_dim) != head_dim:
        raise reader.unsupported("attention.value_length")
    turned = reader.integer("rope.dimension_count", head_dim)
    theta = reader.number("rope.freq_base", theta)
    context_length = reader.integer("context_length")
    return {
        "model_type": model_type,
        "max_position_embeddings": context_length,
        "hidden_size": hidden,
        "intermediate_size": reader.integer("feed_forward_length"),
        "num_hidden_layers": reader.integer("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": reader.integer("attention.head_count_kv", heads),
        "head_dim": head_dim,
        "rms_norm_eps": reader.number("attention.layer_norm_rms_epsilon"),
        "hidden_act": "silu",
        "rope_theta": theta,
        "rope_scaling": read_rope_scaling(reader, theta, turned, context_length),
        **_rotary_share(turned, head_dim),
    }


def _rotary_share(turned: int, head_dim: int) -> dict[str, float]:
    """The share of a head that is turned, such that no reader rounds it down to fewer."""
    if turned == head_dim:
        return {}
    share = turned / head_dim
    return {
        "partial_rotary_factor": (
            share if int(head_dim * share) == turned else math.nextafter(share, 1.0)
        )
    }


def _llama(reader: GgufReader) -> dict[str, Any]:
    """Llama, and Mistral, whose files call themselves llama too."""
    window = reader.integer("attention.sliding_window", 0, least=0)
    if window:
        return {**_shape(reader, "mistral"), "sliding_window": window}
    tensors = reader.header.tensors
    return {
        **_shape(reader, "llama"),
        "attention_bias": "blk.0.attn_q.bias" in tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in tensors,
    }


def _qwen2(reader: GgufReader) -> dict[str, Any]:
    return {**_shape(reader, "qwen2"), "use_sliding_window": False}


def _qwen3(reader: GgufReader) -> dict[str, Any]:
    return {
        **_shape(reader, "qwen3"),
        "use_sliding_window": False,
        "attention_bias": "blk.0.attn_q.bias" in reader.header.tensors,
    }


def _gemma(reader: GgufReader) -> dict[str, Any]:
    return {**_shape(reader, "gemma"), "hidden_act": _GELU, "hidden_activation": _GELU}


def _gemma2(reader: GgufReader) -> dict[str, Any]:
    return {
        **_shape(reader, "gemma2"),
        **_scaled_gemma(reader),
        "attn_logit_softcapping": reader.number("attn_logit_softcapping", 50.0),
        "final_logit_softcapping": reader.number("final_logit_softcapping", 30.0),
        "sliding_window": reader.integer("attention.sliding_window", 4096),
    }


def _gemma3(reader: GgufReader) -> dict[str, Any]:
    """The text half of Gemma 3; the file with its eyes is another, and not needed."""
    window = reader.integer("attention.sliding_window", 0, least=0)
    cap = "final_logit_softcapping"
    return {
        **_shape(reader, "gemma3_text", theta=1_000_000.0),
        **_scaled_gemma(reader),
        "sliding_window": window or None,
        "sliding_window_pattern": reader.integer("attention.sliding_window_pattern", 6),
        "rope_local_base_freq": reader.number("rope.freq_base_swa", 10_000.0),
        cap: reader.number(cap) if reader.has(cap) else None,
    }


def _scaled_gemma(reader: GgufReader) -> dict[str, Any]:
    """Gemma 2's and 3's activation, and their scale of scores, which no key holds.

    It is the width of a head, and in the largest models the hidden size over the heads.
    """
    hidden, heads = reader.integer("embedding_length"), reader.integer("attention.head_count")
    size = reader.integer("attention.key_length", max(1, hidden // heads))
    if reader.integer("block_count") in _LARGEST_GEMMAS:
        size = max(1, hidden // heads)
    return {"hidden_activation": _GELU, "query_pre_attn_scalar": size}


def _phi3(reader: GgufReader) -> dict[str, Any]:
    """Phi-3 and 4; a window of 0 means none."""
    original = "rope.scaling.original_context_length"
    return {
        **_shape(reader, "phi3"),
        "original_max_position_embeddings": (
            reader.integer(original, reader.integer("context_length"))
        ),
        "sliding_window": reader.integer("attention.sliding_window", 0, least=0) or None,
    }


_ARCHITECTURES: dict[str, Callable[[GgufReader], dict[str, Any]]] = {
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3": _gemma3,
    "gpt2": _gpt2,
    "llama": _llama,
    "phi3": _phi3,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
}
