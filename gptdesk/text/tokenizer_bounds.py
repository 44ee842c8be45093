"""What a tokenizer.json may ask for: nothing that makes text explode or takes for ever.

The steps of a tokenizer come from strangers and run in a library that cannot be interrupted.
Every bound here lies far above what models in use need.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gptdesk.text.regex_bounds import why_slow

_STAGES = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_CHILDREN = ("normalizers", "pretokenizers", "processors", "decoders")
_MAX_STEPS = 40
_MAX_GROWTH = 64  # times the text's length
_MAX_BYTE_LEVELS = 2  # each may double what the one before made
_MAX_STRIP = 100
_MAX_PREPEND = 64
_MAX_TEMPLATE = 64
_MAX_WORD = 1000  # characters; BERT's are 100
_LONGEST_PIECE = 256
_LONGEST_REPLACEMENT = 128  # bytes; the longest of Unicode's own takes 33
_MAX_ADDED_CHARACTERS = 4 << 20

Step = Mapping[str, Any]


def why_unbounded(data: Mapping[str, Any]) -> str:
    """What is absurd about a parsed tokenizer.json, naming the key; "" if nothing is."""
    for stage in _STAGES:
        why = _stage_flaw(data.get(stage))
        if why:
            return f"{stage}: {why}"
    model = data.get("model")
    if not isinstance(model, dict):
        return "it has no model"
    return _model_flaw(model) or _added_flaw(data.get("added_tokens"))


def _stage_flaw(stage: Any) -> str:
    steps = list(_steps(stage))
    if len(steps) > _MAX_STEPS:
        return f"it has more than {_MAX_STEPS} steps"
    kinds = [step.get("type") for step in steps]
    if kinds.count("ByteLevel") > _MAX_BYTE_LEVELS:
        return "it asks for ByteLevel again and again"
    if kinds.count("TemplateProcessing") > 1:
        return "it has several templates"
    growth = 1
    for step in steps:
        check = _FLAWS.get(str(step.get("type")))
        why = check(step) if check is not None else ""
        if why:
            return why
        growth *= _growth(step)
        if growth > _MAX_GROWTH:
            return f"its replacements make a text more than {_MAX_GROWTH} times as long"
    return ""


def _steps(stage: Any) -> Iterator[Step]:
    """A step and those inside it, at most a few more than allowed."""
    waiting = [stage]
    for _ in range(2 * _MAX_STEPS):
        if not waiting:
            return
        step = waiting.pop()
        if isinstance(step, dict):
            yield step
            for name in _CHILDREN:
                children = step.get(name)
                waiting += children[: 2 * _MAX_STEPS] if isinstance(children, list) else []


def _growth(step: Step) -> int:
    """How many times longer a step may make a text."""
    if step.get("type") != "Replace":
        return 1
    content = step.get("content")
    pattern = step.get("pattern")
    found = pattern.get("String") if isinstance(pattern, dict) else None
    shortest = len(found) if isinstance(found, str) else 1
    length = len(content) if isinstance(content, str) else 0
    return max(1, -(-length // max(1, shortest)))


def _pattern_flaw(step: Step) -> str:
    pattern = step.get("pattern")
    regex = pattern.get("Regex") if isinstance(pattern, dict) else None
    return why_slow(regex) if isinstance(regex, str) else ""


def _strip_flaw(step: Step) -> str:
    counts = [step.get(name, 0) for name in ("start", "stop")]
    if any(type(count) is int and count > _MAX_STRIP for count in counts):
        return f"Strip takes more than {_MAX_STRIP} characters"
    return ""


def _prepend_flaw(step: Step) -> str:
    length = len(str(step.get("prepend")))
    return f"Prepend adds {length} characters" if length > _MAX_PREPEND else ""


def _charsmap_flaw(step: Step) -> str:
    try:
        table = base64.b64decode(str(step.get("precompiled_charsmap") or ""), validate=True)
    except (binascii.Error, ValueError):
        return "precompiled_charsmap is not base64"
    return why_bad_charsmap(table)


def why_bad_charsmap(table: bytes) -> str:
    """What is wrong with a sentencepiece table of replacements; "" if nothing is.

    Its layout: the size of a trie in bytes (4 bytes, little-endian), the trie of 4-byte units,
    then the replacements, each ended by a zero byte.
    """
    if not table:
        return ""
    trie = int.from_bytes(table[:4], "little")
    if len(table) < 4 or trie % 4 or trie > len(table) - 4:
        return f"precompiled_charsmap has {len(table)} bytes and a trie of {trie}"
    replacements = table[4 + trie :]
    if any(len(text) > _LONGEST_REPLACEMENT for text in replacements.split(b"\0")):
        return "precompiled_charsmap holds a very long replacement"
    return ""


def _template_flaw(step: Step) -> str:
    single = step.get("single")
    specials = step.get("special_tokens")
    lists = [single] if isinstance(single, list) else []
    if isinstance(specials, dict):
        entries = [entry for entry in specials.values() if isinstance(entry, dict)]
        lists += [ids for entry in entries if isinstance(ids := entry.get("ids"), list)]
    if sum(map(len, lists)) > _MAX_TEMPLATE:
        return f"its template has more than {_MAX_TEMPLATE} parts"
    return ""


_FLAWS: Mapping[str, Callable[[Step], str]] = {
    "Split": _pattern_flaw,
    "Replace": _pattern_flaw,
    "Strip": _strip_flaw,
    "Prepend": _prepend_flaw,
    "Precompiled": _charsmap_flaw,
    "TemplateProcessing": _template_flaw,
}


def _model_flaw(model: Mapping[str, Any]) -> str:
    kind = model.get("type", "BPE")
    # A merge of such a BPE may cut a token in the middle of a character: a panic within a panic.
    if kind == "BPE" and model.get("continuing_subword_prefix"):
        return "model: continuing_subword_prefix is not empty; no GPT has one"
    longest = model.get("max_input_chars_per_word")
    if type(longest) is int and longest > _MAX_WORD:
        return f"model: max_input_chars_per_word is {longest}; expected at most {_MAX_WORD}"
    vocab = model.get("vocab")
    pieces = vocab if kind == "Unigram" and isinstance(vocab, list) else []
    if any(isinstance(p, list) and p and len(str(p[0])) > _LONGEST_PIECE for p in pieces):
        return f"model: a piece has more than {_LONGEST_PIECE} characters"
    return ""


def _added_flaw(added: Any) -> str:
    tokens = added if isinstance(added, list) else []
    texts = [str(token.get("content")) for token in tokens if isinstance(token, dict)]
    if sum(map(len, texts)) > _MAX_ADDED_CHARACTERS:
        return f"added_tokens have more than {_MAX_ADDED_CHARACTERS} characters"
    return ""
