"""Tokenizers in the files from before tokenizer.json: a vocabulary, and rules that go by a name.

    vocab.json + merges.txt    byte-level BPE: GPT-2's, Qwen2's, GPT-NeoX's
    vocab.txt                  BERT's word pieces, as Chinese GPT-2 models use them
    tokenizer.model            sentencepiece

`tokenizer_class` in tokenizer_config.json (or config.json) names the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.text import sentencepiece_rust
from gptdesk.text.sentencepiece_model import read_sentencepiece
from gptdesk.text.sentencepiece_rust import Scheme
from gptdesk.text.tokenizer_reading import (
    MAX_VOCABULARY_BYTES,
    broken,
    read_json,
    read_text,
    rust_border,
)

if TYPE_CHECKING:
    import tokenizers

_QWEN2_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_GPT2_NAMES = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
_BERT_NAMES = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
_GEMMA_NAMES = {
    "bos_token": "<bos>",
    "eos_token": "<eos>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
_T5_NAMES = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
_LLAMA_NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
_SCHEMES: Mapping[str, tuple[Scheme, Mapping[str, str]]] = {
    "LlamaTokenizer": ("llama", _LLAMA_NAMES),
    "CodeLlamaTokenizer": ("llama", _LLAMA_NAMES),
    "GemmaTokenizer": ("gemma", _GEMMA_NAMES),
    "T5Tokenizer": ("t5", _T5_NAMES),
}
_MAX_EXTRA_IDS = 1000


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A tokenizer before its settings are applied.

    Attributes:
        path: the main file.
        rust: the tokenizer.
        names: "bos_token" and the like, as this kind calls them unless settings say otherwise.
        begin: the name of the token that this kind puts in front of every text, "" for none.
        end: the same for the one behind.
    """

    path: Path
    rust: tokenizers.Tokenizer
    names: Mapping[str, str] = field(default_factory=dict)
    begin: str = ""
    end: str = ""


def read_byte_level(
    vocab_path: Path, merges_path: Path, class_name: str, settings: Mapping[str, Any]
) -> Vocabulary:
    """Byte-level BPE of vocab.json and merges.txt.

    Raises:
        TokenizerError: a file is broken.
    """
    import tokenizers
    from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers

    vocab = read_json(vocab_path, MAX_VOCABULARY_BYTES)
    if not all(type(token_id) is int and 0 <= token_id < 1 << 32 for token_id in vocab.values()):
        raise broken(vocab_path, "an id is not a whole number")
    merges = _read_merges(merges_path)
    spaced = settings.get("add_prefix_space") is True
    with rust_border(merges_path):
        rust = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=merges))
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
        rust.decoder = decoders.ByteLevel()
        if class_name in ("Qwen2Tokenizer", "GPTNeoXTokenizer"):
            rust.normalizer = normalizers.NFC()
        if class_name == "Qwen2Tokenizer":
            words = pre_tokenizers.Split(Regex(_QWEN2_WORDS), "isolated")
            level = pre_tokenizers.ByteLevel(add_prefix_space=spaced, use_regex=False)
            rust.pre_tokenizer = pre_tokenizers.Sequence([words, level])
    return Vocabulary(vocab_path, rust, _GPT2_NAMES)


def read_word_pieces(path: Path, settings: Mapping[str, Any]) -> Vocabulary:
    """BERT's word pieces of vocab.txt: one token per line, its number is its id.

    Raises:
        TokenizerError: the file is broken.
    """
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    lines = read_text(path, MAX_VOCABULARY_BYTES).removesuffix("\n").split("\n")
    vocab = {line.removesuffix("\r"): number for number, line in enumerate(lines)}
    unknown = settings.get("unk_token", _BERT_NAMES["unk_token"])
    if unknown not in vocab:
        raise broken(path, f"it lacks the token for unknown words, {str(unknown)[:50]!r}")
    accents = settings.get("strip_accents")
    with rust_border(path):
        rust = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token=unknown))
        rust.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=settings.get("tokenize_chinese_chars", True) is True,
            strip_accents=accents if isinstance(accents, bool) else None,
            lowercase=settings.get("do_lower_case", True) is True,
        )
        rust.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        rust.decoder = decoders.WordPiece(prefix="##")
    return Vocabulary(path, rust, _BERT_NAMES, begin="cls_token", end="sep_token")


def read_pieces(path: Path, class_name: str, settings: Mapping[str, Any]) -> Vocabulary:
    """A sentencepiece vocabulary.

    Raises:
        TokenizerError: the file is broken.
    """
    model = read_sentencepiece(path)
    scheme, names = _SCHEMES.get(class_name, ("file", model.control_names))
    if scheme == "llama" and settings.get("legacy") is True:
        scheme = "llama-legacy"
    prefix = settings.get("add_prefix_space")
    wanted = prefix if isinstance(prefix, bool) and scheme != "gemma" else None
    if scheme == "t5":
        model = model.with_controls(_extra_ids(path, settings))
    rust = sentencepiece_rust.to_tokenizer(model, scheme, wanted)
    return Vocabulary(path, rust, names, end="eos_token" if scheme == "t5" else "")


def _extra_ids(path: Path, settings: Mapping[str, Any]) -> list[str]:
    """T5's sentinels, which its sentencepiece file does not list."""
    count = settings.get("extra_ids", 100)
    if type(count) is not int or not 0 <= count <= _MAX_EXTRA_IDS:
        raise broken(path.with_name("tokenizer_config.json"), f"extra_ids is {str(count)[:50]}")
    return [f"<extra_id_{number}>" for number in reversed(range(count))]


def _read_merges(path: Path) -> list[tuple[str, str]]:
    merges = []
    for number, line in enumerate(read_text(path, MAX_VOCABULARY_BYTES).split("\n"), 1):
        if not line.strip() or (number == 1 and line.startswith("#version")):
            continue
        left, space, right = line.rstrip("\r").partition(" ")
        if not (left and space and right) or " " in right:
            raise broken(path, f"line {number} is not a pair of tokens")
        merges.append((left, right))
    return merges
