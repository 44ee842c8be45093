"""The keys `tokenizer.*` of a GGUF file as a vocabulary, and as files of a Hugging Face folder."""

from __future__ import annotations

import json
from typing import Any, Literal

from gptdesk.checkpoints.families.base import shown
from gptdesk.checkpoints.gguf_header import GgufHeader
from gptdesk.checkpoints.gguf_rules import EMBEDDING
from gptdesk.errors import TokenizerError
from gptdesk.text.bpe_splitting import SPLITTINGS, Splitting
from gptdesk.text.gguf_tokenizer import GgufVocabulary

_KEY = "tokenizer.ggml."
_NAMED = {
    "bos_token": "bos_token_id",
    "eos_token": "eos_token_id",
    "unk_token": "unknown_token_id",
    "pad_token": "padding_token_id",
}
_ENDS = ("eot_token_id", "eom_token_id")
_MADE_FOR = {"gpt2": "gpt-2", "llama": "llama-bpe", "qwen2": "qwen2", "qwen3": "qwen2"}


def tokenizer_files(header: GgufHeader) -> dict[str, str]:
    """The same as the files of a Hugging Face folder: name to text.

    Raises:
        TokenizerError: it is missing, broken, or of a kind that is not known.
    """
    vocabulary = read_vocabulary(header)
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        **vocabulary.special_texts,
    }
    if vocabulary.chat_template is not None:
        settings["chat_template"] = vocabulary.chat_template
    generation: dict[str, Any] = {"eos_token_id": sorted(vocabulary.end_ids)}
    if "bos_token" in vocabulary.named:
        generation["bos_token_id"] = vocabulary.named["bos_token"]
    return {
        "tokenizer.json": vocabulary.to_rust().to_str(),
        "tokenizer_config.json": json.dumps(settings, indent=2, ensure_ascii=False),
        "generation_config.json": json.dumps(generation, indent=2),
    }


def read_vocabulary(header: GgufHeader) -> GgufVocabulary:
    """The keys as plain data.

    Raises:
        TokenizerError: there is no vocabulary, or it is of a kind that is not known.
    """
    kind = check_vocabulary(header)
    splitting = _splitting(header) if kind == "gpt2" else Splitting()
    tokens = header.texts(f"{_KEY}tokens")
    template = header.metadata.get("tokenizer.chat_template")
    if not isinstance(template, str | None):
        raise TokenizerError(
            f"{header.path}: tokenizer.chat_template is not a text, or longer than 1 MiB.",
            "Look for another conversion of this model.",
        )
    named = _ids(header, _NAMED, len(tokens))
    starts = splitting.starts or kind == "llama"
    return GgufVocabulary(
        path=header.path,
        kind=kind,
        tokens=tokens,
        types=header.numbers(f"{_KEY}token_type"),
        scores=header.numbers(f"{_KEY}scores"),
        merges=header.texts(f"{_KEY}merges"),
        splitting=splitting,
        # No key says so; the newer ones of the family have byte-level vocabularies.
        swallows=kind == "llama" and header.metadata.get("general.architecture") == "phi3",
        space_prefix=_flag(header, "add_space_prefix", kind == "llama"),
        named=named,
        ends=list(_ids(header, dict(zip(_ENDS, _ENDS, strict=True)), len(tokens)).values()),
        frame=(_flag(header, "add_bos_token", starts), _flag(header, "add_eos_token", False)),
        chat_template=template,
    )


def check_vocabulary(header: GgufHeader) -> Literal["gpt2", "llama"]:
    """The kind of vocabulary, judged by the metadata without reading it.

    Raises:
        TokenizerError: there is none, it is of a kind that is not known, or its parts are not as
            many as the model's tokens.
    """
    kind = header.metadata.get(f"{_KEY}model")
    if kind not in ("gpt2", "llama"):
        raise _unknown(header, "model", kind)
    if kind == "gpt2":
        _splitting(header)
    count, rows = header.count(f"{_KEY}tokens"), header.tensors[EMBEDDING].shape[0]
    if not 0 < count <= rows:
        raise _miscounted(header, "tokens", count, f"from 1 to {rows}, as {EMBEDDING} has rows")
    for part in ("scores", "token_type"):
        found = header.count(f"{_KEY}{part}")
        if found != count and (found or (kind, part) == ("llama", "scores")):
            raise _miscounted(header, part, found, f"{count}, one for each token")
    return "gpt2" if kind == "gpt2" else "llama"


def _splitting(header: GgufHeader) -> Splitting:
    name = header.metadata.get(f"{_KEY}pre", "default")
    if name == "default":  # files of early 2024 do not say
        name = _MADE_FOR.get(str(header.metadata.get("general.architecture")), "gpt-2")
    if not isinstance(name, str) or name not in SPLITTINGS:
        raise _unknown(header, "pre", name)
    return SPLITTINGS[name]


def _ids(header: GgufHeader, keys: dict[str, str], size: int) -> dict[str, int]:
    found = {name: header.metadata.get(f"{_KEY}{key}") for name, key in keys.items()}
    return {name: at for name, at in found.items() if type(at) is int and 0 <= at < size}


def _flag(header: GgufHeader, key: str, default: bool) -> bool:
    value = header.metadata.get(f"{_KEY}{key}", default)
    return value if isinstance(value, bool) else default


def _miscounted(header: GgufHeader, part: str, found: int, wanted: str) -> TokenizerError:
    return TokenizerError(
        f"{header.path}: {_KEY}{part} has {found} entries; there must be {wanted}.",
        "Download the file again, or look for another conversion of this model.",
    )


def _unknown(header: GgufHeader, key: str, value: object) -> TokenizerError:
    return TokenizerError(
        f"{header.path}: {_KEY}{key} = {shown(value)} is a tokenizer that gptdesk cannot read.",
        "Look for the model's original folder in Hugging Face format.",
    )
