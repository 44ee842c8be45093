"""How tensors of GGUF files are named and stored, by architecture.

llama.cpp's converter renames everything and changes a little: it puts the rows that rotation turns
together side by side (llama), stores GPT-2's matrices the usual way round, adds the one of
Gemma's norms to their weights, and leaves an output matrix that equals the embedding away.
Positions that were stretched frequency by frequency come as tensors; they belong to the
configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gptdesk.checkpoints.families import find_family
from gptdesk.checkpoints.families.base import Family, Rule

EMBEDDING, HEAD = "token_embd.weight", "output.weight"
_LAYER, _OURS = "blk.{i}", "model.layers.{i}"
_GLOBAL: dict[str, str] = {
    "token_embd": "model.embed_tokens",
    "position_embd": "model.embed_positions",
    "output_norm": "model.norm",
    "output": "lm_head",
}
_QUERY, _KEY, _VALUE = (f"self_attn.{name}_proj" for name in "qkv")
_BLOCK: dict[str, tuple[str, ...]] = {
    "attn_norm": ("input_layernorm",),
    "attn_q": (_QUERY,),
    "attn_k": (_KEY,),
    "attn_v": (_VALUE,),
    "attn_q_norm": ("self_attn.q_norm",),
    "attn_k_norm": ("self_attn.k_norm",),
    "attn_output": ("self_attn.o_proj",),
    "ffn_norm": ("post_attention_layernorm",),
    "ffn_gate": ("mlp.gate_proj",),
    "ffn_up": ("mlp.up_proj",),
    "ffn_down": ("mlp.down_proj",),
}


def _rules(
    block: Mapping[str, tuple[str, ...]], paired: Iterable[str] = (), norms_added: float = 0.0
) -> tuple[Rule, ...]:
    """Rules for all tensors of an architecture; those that a shape lacks are never asked for.

    Args:
        block: name in a layer of the file to names of ours, those that are fused first.
        paired: names whose rows are stored pair by pair.
        norms_added: what weights of norms are larger by.
    """
    rules = []
    for part in ("weight", "bias"):
        for theirs, ours in _GLOBAL.items():
            added = norms_added if theirs.endswith("norm") else 0.0
            rules.append(Rule(f"{theirs}.{part}", (f"{ours}.{part}",), added=added))
        for theirs, names in block.items():
            added = norms_added if theirs.endswith("norm") else 0.0
            ours_here = tuple(f"{_OURS}.{name}.{part}" for name in names)
            stored = f"{_LAYER}.{theirs}.{part}"
            rules.append(Rule(stored, ours_here, paired=theirs in paired, added=added))
    return tuple(rules)


_FUSED_QKV = {"attn_qkv": (_QUERY, _KEY, _VALUE)}
_GATE_AND_UP = {"ffn_up": ("mlp.gate_proj", "mlp.up_proj")}
_FOUR_NORMS = {
    "post_attention_norm": ("post_attention_layernorm",),
    "ffn_norm": ("pre_feedforward_layernorm",),
    "post_ffw_norm": ("post_feedforward_layernorm",),
}
_ROTATED = ("attn_q", "attn_k")
_RULES = {
    "gemma": _rules(_BLOCK, norms_added=1.0),
    "gemma2": _rules(_BLOCK | _FOUR_NORMS, norms_added=1.0),
    "gemma3_text": _rules(_BLOCK | _FOUR_NORMS, norms_added=1.0),
    "gpt2": _rules(_FUSED_QKV | _BLOCK),
    "llama": _rules(_BLOCK, paired=_ROTATED),
    "mistral": _rules(_BLOCK, paired=_ROTATED),
    "phi3": _rules(_FUSED_QKV | _GATE_AND_UP | _BLOCK | _GATE_AND_UP),
    "qwen2": _rules(_BLOCK),
    "qwen3": _rules(_BLOCK),
}
_STRETCHED_POSITIONS = r"rope_freqs\.weight|rope_factors_(long|short)\.weight"


def gguf_family(data: Mapping[str, Any]) -> Family:
    """The family of a translated configuration, with the names and ways of GGUF files."""
    family = find_family(data)
    return replace(
        family,
        rules=_RULES[family.model_type],
        prefix="",
        ignored=(_STRETCHED_POSITIONS,),
    )
