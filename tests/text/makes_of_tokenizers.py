"""Tokenizer folders as the makers of models write them, from before and after tokenizer.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from tests.helpers.checkpoints import TOKENIZER_TEXT
from tests.text import sentencepiece_for_tests as pieces
from tests.text import tokenizers_for_tests as makes

LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CHINESE_WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] 灯 塔 看 守 人 每 天 晚 上 都 写 一 封 信 平 方 。 , . ' - a b x "
    "d ##e ##f e é it s they plain word ##s run of space tab lead ##ing and trail don ##u 1 ##2 "
    "2 3 ( ) : return"
)


def settings(folder: Path, **values: Any) -> Path:
    return json_file(folder, "tokenizer_config.json", values)


def json_file(folder: Path, name: str, values: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(values), "utf-8")
    return folder


def llama_pieces(folder: Path, **values: Any) -> Path:
    """Llama 2 as its maker published it: tokenizer.model alone."""
    pieces.write(folder / "tokenizer.model", "llama")
    json_file(folder, "config.json", {"model_type": "llama"})
    return settings(folder, tokenizer_class="LlamaTokenizer", **values)


def gemma_pieces(folder: Path, **values: Any) -> Path:
    pieces.write(folder / "tokenizer.model", "gemma")
    json_file(folder, "config.json", {"model_type": "gemma"})
    names = {"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return settings(folder, tokenizer_class="GemmaTokenizer", mask_token=None, **names, **values)


def t5_pieces(folder: Path) -> Path:
    pieces.write(folder / "spiece.model", "t5")
    json_file(folder, "config.json", {"model_type": "t5"})
    return settings(folder, tokenizer_class="T5Tokenizer", extra_ids=3)


def word_pieces(folder: Path, **values: Any) -> Path:
    """Chinese GPT-2: BERT's vocabulary."""
    json_file(folder, "config.json", {"model_type": "gpt2"})
    (folder / "vocab.txt").write_text(_CHINESE_WORDS.replace(" ", "\n") + "\n", "utf-8")
    return settings(folder, tokenizer_class="BertTokenizer", **values)


def legacy_added_tokens(folder: Path) -> Path:
    """Tokens in added_tokens.json and special_tokens_map.json."""
    makes.vocab_and_merges(folder)
    json_file(folder, "added_tokens.json", {"<|extra|>": 801, "<|new|>": 800, "lighthouse": 802})
    json_file(folder, "special_tokens_map.json", {"eos_token": "<|im_end|>"})
    more = {"additional_special_tokens": ["<|new|>"]}
    return settings(folder, tokenizer_class="GPT2Tokenizer", **more)


def renamed_class(folder: Path, name: str, model_type: str) -> Path:
    """vocab.json and merges.txt under the rules of another class."""
    makes.vocab_and_merges(folder)
    json_file(folder, "config.json", {"model_type": model_type})
    names = dict.fromkeys(("unk_token", "bos_token", "eos_token", "pad_token"), "<|endoftext|>")
    return settings(folder, tokenizer_class=name, **names)


def byte_level(folder: Path, words: str, normalizer: Any = None) -> Path:
    """tokenizer.json with a pattern of its own: Llama 3's, Qwen2's."""
    tokenizer = Tokenizer(models.BPE())
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    split = pre_tokenizers.Split(Regex(words), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TOKENIZER_TEXT, makes.bpe_trainer())
    return makes.write(folder, tokenizer, eos_token="<|endoftext|>")


def swallowing_tokens(folder: Path) -> Path:
    """Phi-3's kind: control tokens that take the white space behind them, set beside the file."""
    makes.sentencepiece_like(folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.pre_tokenizer = None  # type: ignore[assignment]
    tokenizer.add_special_tokens([AddedToken("<|user|>", special=True, normalized=False)])
    size = tokenizer.get_vocab_size()
    flags = {"lstrip": False, "rstrip": True, "normalized": False, "single_word": False}
    added = {"2": {"content": "</s>", "special": False, **flags}}
    added[str(size - 1)] = {"content": "<|user|>", "special": True, **flags}
    added[str(size)] = {"content": "<|end|>", "special": True, **flags}
    return makes.write(
        folder, tokenizer, eos_token="</s>", unk_token="<unk>", added_tokens_decoder=added
    )


def _nfc_words(folder: Path) -> Path:
    return byte_level(folder, LLAMA3_WORDS.replace("{1,3}", ""), normalizers.NFC())


MAKES: dict[str, Callable[[Path], Path]] = {
    "llama pieces": llama_pieces,
    "llama pieces, framed": lambda f: llama_pieces(f, add_bos_token=True, add_eos_token=True),
    "llama pieces, legacy": lambda f: llama_pieces(f, legacy=True, add_bos_token=True),
    "llama pieces, no prefix": lambda f: llama_pieces(f, add_prefix_space=False),
    "gemma pieces": lambda f: gemma_pieces(f, add_bos_token=True),
    "t5 pieces": t5_pieces,
    "word pieces": word_pieces,
    "word pieces, cased": lambda f: word_pieces(f, do_lower_case=False, never_split=["plain"]),
    "word pieces, odd": lambda f: word_pieces(f, strip_accents=False, tokenize_chinese_chars=False),
    "legacy added tokens": legacy_added_tokens,
    "qwen2 vocabulary": lambda f: renamed_class(f, "Qwen2Tokenizer", "qwen2"),
    "neox vocabulary": lambda f: renamed_class(f, "GPTNeoXTokenizerFast", "gpt_neox"),
    "llama 3 words": lambda f: byte_level(f, LLAMA3_WORDS),
    "qwen2 words": _nfc_words,
    "swallowing tokens": swallowing_tokens,
}
