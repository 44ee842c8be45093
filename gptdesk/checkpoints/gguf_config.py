"""The metadata of a GGUF file as the config.json that the model had before it was converted.

So one reader per family judges both, and a model can be saved as a Hugging Face folder. Keys:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; what each converter writes is in
llama.cpp's folder conversion/.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from gptdesk.checkpoints.families.base import ConfigReader, shown
from gptdesk.checkpoints.gguf_header import GgufHeader
from gptdesk.checkpoints.gguf_rope import read_rope_scaling
from gptdesk.errors import CheckpointError, UnsupportedModelError

_EMBEDDING, _HEAD = "token_embd.weight", "output.weight"
_GEMMA2_27B_LAYERS = 46
_GEMMA3_27B_LAYERS = 62


class GgufReader:
    """Typed access to the metadata of one architecture; complaints name the file and the key."""

    def __init__(self, header: GgufHeader, architecture: str) -> None:
        self.header = header
        self._prefix = architecture
        self._reader = ConfigReader(header.metadata, str(header.path))

    def key(self, name: str) -> str:
        """The whole key, as in the file."""
        return f"{self._prefix}.{name}"

    def has(self, name: str) -> bool:
        """Whether the file says anything about it."""
        return self.key(name) in self.header.metadata

    def integer(self, name: str, default: int | None = None, *, least: int = 1) -> int:
        """A size; a list with one value for every layer counts as that value."""
        values = self.header.metadata.get(self.key(name))
        if isinstance(values, list) and values and len(set(values)) == 1 and least:
            single = ConfigReader({self.key(name): values[0]}, self._reader.source)
            return single.integer(self.key(name), default, least=least)
        return self._reader.integer(self.key(name), default, least=least)

    def number(self, name: str, default: float | None = None) -> float:
        """A number; of the decimal fractions that became this 32-bit one, the shortest."""
        return shortest(self._reader.number(self.key(name), default))

    def unsupported(self, name: str) -> UnsupportedModelError:
        """The error of a value that is well-formed and not built."""
        key = self.key(name)
        return self._reader.unsupported(key, self.header.metadata.get(key))


def read_gguf_config(header: GgufHeader) -> dict[str, Any]:
    """What config.json said.

    Raises:
        CheckpointError: a key or the embedding is missing, or a value makes no sense.
        UnsupportedModelError: an architecture, a mixture of experts or another thing that is not
            built.
    """
    name = header.metadata.get("general.architecture")
    if not isinstance(name, str) or name not in _ARCHITECTURES:
        raise UnsupportedModelError(
            f"{header.path}: general.architecture = {shown(name)} is not supported by this "
            "version of gptdesk.",
            f"GGUF files of these architectures run: {', '.join(sorted(_ARCHITECTURES))}.",
        )
    reader = GgufReader(header, name)
    if reader.integer("expert_count", 0, least=0):
        raise reader.unsupported("expert_count")
    if _EMBEDDING not in header.tensors:
        raise CheckpointError(
            f"{header.path} has no tensor {_EMBEDDING}.",
            "Download the model again; a file that holds only a part of a model cannot be opened.",
        )
    return {
        **_ARCHITECTURES[name](reader),
        "vocab_size": header.tensors[_EMBEDDING].shape[0],
        "tie_word_embeddings": _HEAD not in header.tensors,
        **_token_ids(header),
    }


def shortest(number: float) -> float:
    """The shortest decimal fraction that becomes the same 32-bit float: 1e-06, not 9.99999997e-07.

    It is what somebody once wrote into config.json.
    """
    form = struct.Struct("<f")
    try:
        exact = form.pack(number)
    except OverflowError:
        return number
    for digits in range(1, 9):
        candidate = float(f"{number:.{digits}g}")
        if form.pack(candidate) == exact:
            return candidate
    return number


def _token_ids(header: GgufHeader) -> dict[str, Any]:
    keys = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    ids = {
        key: header.metadata.get(f"tokenizer.ggml.{name}_token_id") for key, name in keys.items()
    }
    return {key: value for key, value in ids.items() if type(value) is int}


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


def _shape(reader: GgufReader, model_type: str) -> dict[str, Any]:
    """The keys that all but GPT-2 have in common."""
    hidden, heads = reader.integer("embedding_length"), reader.integer("attention.head_count")
    head_dim = reader.integer("attention.key_length", max(1, hidden // heads))
    if reader.integer("attention.value_length", head_dim) != head_dim:
        raise reader.unsupported("attention.value_length")
    turned = reader.integer("rope.dimension_count", head_dim)
    theta = reader.number("rope.freq_base", 10_000.0)
    context_length = reader.integer("context_length")
    partial = {"partial_rotary_factor": turned / head_dim} if turned != head_dim else {}
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
        **partial,
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


_ARCHITECTURES: dict[str, Callable[[GgufReader], dict[str, Any]]] = {
    "gpt2": _gpt2,
    "llama": _llama,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
}
