"""GGUF files made from tiny checkpoints, with all that llama.cpp's converter does to a model.

Names, shapes and values follow its conversion scripts; the file itself is written by the `gguf` package.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import quants
from numpy.typing import NDArray
from safetensors import safe_open

from tests.helpers.gguf_tokenizers import add_keys, bpe_keys, finish

Array = NDArray[Any]

_LLAMA_ARCHITECTURES = {"mistral": "llama", "gemma3_text": "gemma3"}
_ROTATED = ("q_proj.weight", "q_proj.bias", "k_proj.weight", "k_proj.bias")
_CONV1D = ("c_attn.weight", "c_proj.weight", "c_fc.weight")


def write_gguf(
    folder: Path,
    path: Path,
    kind: str = "F32",
    *,
    metadata: Mapping[str, Any] | None = None,
    encode: Callable[[str, Array], tuple[Array, Kind]] | None = None,
    only: Collection[str] | None = None,
) -> Path:
    """Convert the checkpoint in `folder`.

    Args:
        folder: written by `tests.helpers.checkpoints`.
        path: of the file.
        kind: type of all matrices; vectors are F32, as in real files.
        metadata: further keys, which replace those that the converter writes; None removes one.
            Keys of the architecture go without its name.
        only: names of the tensors to write; None for all.
        encode: instead of `kind`: name and values to stored values and their type.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    architecture = _LLAMA_ARCHITECTURES.get(config["model_type"], config["model_type"])
    writer = gguf.GGUFWriter(path, architecture)
    named = {
        f"{architecture}.{key}": value for key, value in _shape_keys(config, architecture).items()
    }
    named |= bpe_keys(folder, rows=config["vocab_size"])
    more = {
        key if key.split(".")[0] in _GENERAL else f"{architecture}.{key}": value
        for key, value in (metadata or {}).items()
    }
    add_keys(writer, named | more)
    tensors = {**converted(folder, config, architecture), **_rope_tensors(config)}
    for name, values in tensors.items():
        if only is not None and name not in only:
            continue
        stored, number = (encode or _encoder(kind))(name, values)
        writer.add_tensor(name, stored, raw_shape=stored.shape, raw_dtype=number)
    finish(writer)
    return path


_GENERAL = ("general", "tokenizer", "split")


def converted(folder: Path, config: Mapping[str, Any], architecture: str) -> dict[str, Array]:
    """The tensors of a checkpoint under their new names, with their new values."""
    names = gguf.get_tensor_name_map(_architecture(architecture), _layers(config))
    result = {}
    with safe_open(folder / "model.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118 - not a dict
            values = file.get_tensor(name).float().numpy()
            full = (
                name if name.startswith(("model.", "transformer.", "lm_head")) else f"model.{name}"
            )
            new = names.get_name(full, try_suffixes=(".weight", ".bias"))
            assert new is not None, name
            result[new] = _changed(full, values, config, architecture)
    return result


def _changed(name: str, values: Array, config: Mapping[str, Any], architecture: str) -> Array:
    if architecture == "llama" and name.endswith(_ROTATED):
        queries = config["num_attention_heads"]
        heads = queries if "q_proj" in name else config.get("num_key_value_heads", queries)
        halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
        return halves.swapaxes(1, 2).reshape(values.shape)
    if architecture == "gpt2" and name.endswith(_CONV1D):
        return np.ascontiguousarray(values.T)
    if architecture.startswith("gemma") and name.endswith("norm.weight"):
        return values + np.float32(1)
    return values


def _architecture(name: str) -> gguf.MODEL_ARCH:
    return next(arch for arch, text in gguf.MODEL_ARCH_NAMES.items() if text == name)


def _layers(config: Mapping[str, Any]) -> int:
    return int(config.get("num_hidden_layers") or config["n_layer"])


def _shape_keys(config: Mapping[str, Any], architecture: str) -> dict[str, Any]:
    if architecture == "gpt2":
        return {
            "block_count": config["n_layer"],
            "context_length": config["n_positions"],
            "embedding_length": config["n_embd"],
            "feed_forward_length": 4 * config["n_embd"],
            "attention.head_count": config["n_head"],
            "attention.layer_norm_epsilon": config["layer_norm_epsilon"],
        }
    head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    rope = {**config, **(config.get("rope_parameters") or {})}
    rope = {**rope, **(rope.get("full_attention") or {})}
    partial = rope.get("partial_rotary_factor") or 1.0
    turns = architecture in ("llama", "phi3")
    return {
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "attention.key_length": None if architecture == "phi3" else head_dim,
        "attention.value_length": None if architecture == "phi3" else head_dim,
        "rope.freq_base": None if architecture == "gemma2" else float(rope["rope_theta"]),
        "rope.dimension_count": int(partial * head_dim) if turns else None,
        "attn_logit_softcapping": config.get("attn_logit_softcapping"),
        "final_logit_softcapping": config.get("final_logit_softcapping"),
        **_window_keys(config, architecture),
        **_scaling_keys(config, rope),
    }


def _window_keys(config: Mapping[str, Any], architecture: str) -> dict[str, Any]:
    if architecture in ("gemma2", "gemma3"):
        return {"attention.sliding_window": config["sliding_window"]}
    if architecture == "phi3":
        return {"attention.sliding_window": config["sliding_window"] or 0}
    return {}


def _scaling_keys(config: Mapping[str, Any], rope: Mapping[str, Any]) -> dict[str, Any]:
    kind = rope.get("rope_type", "default")
    original = rope.get("original_max_position_embeddings")
    keys: dict[str, Any] = {}
    if kind in ("linear", "yarn"):
        keys = {"rope.scaling.type": kind, "rope.scaling.factor": float(rope["factor"])}
    if kind == "longrope":
        growth = config["max_position_embeddings"] / original
        grown = math.sqrt(1 + math.log(growth) / math.log(original))
        keys = {"rope.scaling.type": kind, "rope.scaling.attn_factor": grown}
    if kind == "yarn":
        keys |= {
            "rope.scaling.yarn_attn_factor": rope.get("attention_factor"),
            "rope.scaling.yarn_beta_fast": rope.get("beta_fast"),
            "rope.scaling.yarn_beta_slow": rope.get("beta_slow"),
        }
    if kind in ("yarn", "longrope"):
        keys["rope.scaling.original_context_length"] = original
    return keys


def _rope_tensors(config: Mapping[str, Any]) -> dict[str, Array]:
    rope = config.get("rope_parameters") or {}
    if rope.get("rope_type") == "longrope":
        return {
            f"rope_factors_{name}.weight": np.array(rope[f"{name}_factor"], np.float32)
            for name in ("long", "short")
        }
    if rope.get("rope_type") != "llama3":
        return {}
    dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    factors = []
    for pair in range(0, dim, 2):
        turns = rope["original_max_position_embeddings"] / (
            2 * math.pi * rope["rope_theta"] ** (pair / dim)
        )
        kept = min(max((turns - low) / (high - low), 0.0), 1.0)
        factors.append(1 / ((1 - kept) / rope["factor"] + kept))
    return {"rope_freqs.weight": np.array(factors, np.float32)}


def _encoder(kind: str) -> Callable[[str, Array], tuple[Array, Kind]]:
    def encode(name: str, values: Array) -> tuple[Array, Kind]:
        number = Kind[kind] if values.ndim > 1 else Kind.F32
        return quants.quantize(values, number), number

    return encode
