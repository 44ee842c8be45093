"""How GGUF files say that rotary positions are stretched, as the key rope_scaling of config.json.

The simple methods are metadata. Llama 3's comes as a tensor with what each pair's angle is
divided by, LongRoPE's as two: `rope_freqs.weight`, `rope_factors_long.weight` and
`rope_factors_short.weight`. They are read with the header, as they are a few hundred bytes.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from gptdesk.checkpoints.gguf_header import GgufHeader, read_bytes
from gptdesk.checkpoints.gguf_keys import GgufReader, shortest
from gptdesk.errors import CheckpointError

_LOW, _HIGH = 1.0, 4.0  # Llama 3's turns, the only ones in use
_LLAMA3_CONTEXT = 8192
_TOLERANCE = 1e-4
_MAX_THETA = 1e12


def read_rope_scaling(
    reader: GgufReader, theta: float, dim: int, context_length: int
) -> dict[str, Any] | None:
    """The value of rope_scaling; None for positions that are not stretched.

    Args:
        reader: metadata.
        theta: base of the frequencies.
        dim: dimensions of a head that are turned.
        context_length: of the model.

    Raises:
        CheckpointError: a setting or tensor is missing or makes no sense.
        UnsupportedModelError: a method that is not built.
    """
    factors = _factors(reader.header, "rope_freqs.weight", dim)
    if factors:
        return _llama3(factors, theta, dim)
    kind = reader.value("rope.scaling.type") or "linear"
    if kind == "longrope" or "rope_factors_long.weight" in reader.header.tensors:
        return _longrope(reader, dim, context_length)
    name = "rope.scaling.factor" if reader.has("rope.scaling.factor") else "rope.scale_linear"
    factor = reader.number(name, 1.0)
    if kind == "none" or factor in (0.0, 1.0):
        return None
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor}
    if kind != "yarn":
        raise reader.unsupported("rope.scaling.type")
    return _yarn(reader, factor)


def _yarn(reader: GgufReader, factor: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": reader.integer("rope.scaling.original_context_length"),
    }
    for key, name in (
        ("attention_factor", "yarn_attn_factor"),
        ("attention_factor", "attn_factor"),
        ("beta_fast", "yarn_beta_fast"),
        ("beta_slow", "yarn_beta_slow"),
    ):
        if reader.has(f"rope.scaling.{name}"):
            options[key] = reader.number(f"rope.scaling.{name}")
    return options


def _longrope(reader: GgufReader, dim: int, context_length: int) -> dict[str, Any]:
    original = reader.integer("rope.scaling.original_context_length", context_length)
    grown = "rope.scaling.attn_factor"
    growth = {"attention_factor": reader.number(grown)} if reader.has(grown) else {}
    lists = {
        key: _factors(reader.header, f"rope_factors_{name}.weight", dim)
        for key, name in (("long_factor", "long"), ("short_factor", "short"))
    }
    for key, factors in lists.items():
        if not factors:
            raise _bad_factors(reader.header, f"rope_factors_{key[:-7]}.weight is missing")
    return {
        "rope_type": "longrope",
        **{key: [shortest(factor) for factor in factors] for key, factors in lists.items()},
        **growth,
        "original_max_position_embeddings": original,
        "factor": context_length / original,
    }


def _llama3(factors: list[float], theta: float, dim: int) -> dict[str, Any] | None:
    """The settings that the factors were computed from, or the factors themselves.

    The largest factor is the divisor of slow angles. Between slow and fast ones lie a few, each
    of which tells the length of the first training; without any, that of Llama 3 is tried.
    """
    largest = max(factors)
    if largest == 1.0 or not 0 < theta < _MAX_THETA:  # which `ModelConfig` refuses
        return None
    waves = [2 * math.pi * theta ** (pair / dim) for pair in range(0, dim, 2)]
    contexts = [_LLAMA3_CONTEXT]
    for factor, wave in zip(factors, waves, strict=True):
        if 1.0 < factor < largest:
            kept = (1 / factor - 1 / largest) / (1 - 1 / largest)
            contexts.append(round(wave * (_LOW + kept * (_HIGH - _LOW))))
    between = [wave for factor, wave in zip(factors, waves, strict=True) if factor == largest]
    contexts.append(math.floor(min(between)))
    for context in contexts:
        expected = [_llama3_factor(wave, largest, context) for wave in waves]
        pairs = zip(factors, expected, strict=True)
        if all(math.isclose(a, b, rel_tol=_TOLERANCE) for a, b in pairs):
            return {
                "rope_type": "llama3",
                "factor": largest,
                "low_freq_factor": _LOW,
                "high_freq_factor": _HIGH,
                "original_max_position_embeddings": context,
            }
    exact = [shortest(factor) for factor in factors]
    return {
        "rope_type": "longrope",
        "short_factor": exact,
        "long_factor": exact,
        "attention_factor": 1.0,
    }


def _llama3_factor(wave: float, factor: float, context: int) -> float:
    """What the angle of a wave, in tokens per turn, is divided by."""
    kept = min(max((context / wave - _LOW) / (_HIGH - _LOW), 0.0), 1.0)
    return 1 / ((1 - kept) / factor + kept)


def _factors(header: GgufHeader, name: str, dim: int) -> list[float]:
    """The values of a tensor with one for each pair of dimensions; [] where there is none."""
    tensor = header.tensors.get(name)
    if tensor is None:
        return []
    if tensor.dtype != "F32" or tensor.shape != (dim // 2,):
        raise _bad_factors(
            header, f"{name} is {tensor.dtype} {list(tensor.shape)}, not F32 [{dim // 2}]"
        )
    data = read_bytes(tensor.path, tensor.offset, tensor.nbytes)
    values = [value for (value,) in struct.iter_unpack("<f", data)]
    if not all(math.isfinite(value) and value > 0 for value in values):
        raise _bad_factors(header, f"{name} holds values that are not positive numbers")
    return values


def _bad_factors(header: GgufHeader, why: str) -> CheckpointError:
    return CheckpointError(
        f"{header.path} stretches rotary positions in a way that cannot be read: {why}.",
        "Download the file again, or look for another conversion of this model.",
    )
