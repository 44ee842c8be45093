"""Small tokenizers of several make, written into folders as models come with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer, UnigramTrainer

from tests.helpers.checkpoints import TOKENIZER_TEXT

AWKWARD = [
    "",
    " ",
    "plain words",
    " leading and trailing  ",
    "灯塔看守人每天晚上都写一封信。",
    "家族 👩\u200d👩\u200d👧\u200d👦 und 🏳️\u200d🌈",
    "e\u0301 n\u0303 \u0344 a\u0323\u0307",
    "\x00\x01\x1f\x7f\ufeff\u200b",
    "a\r\nb\rc\n\n\n",
    "run    of      spaces\t\t\ttabs",
    "def f(x):\n    return x ** 2  # 平方\n",
    "Donaudampfschifffahrtsgesellschaftskapitän" * 5,
    "1,234.56 € ½ ∑ Ω ж ي",
    "<|endoftext|>",
    "a<|im_start|>user\nb<|im_end|>",
    "It's they'd we'LL",
]


def write(folder: Path, tokenizer: Tokenizer, **config: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", **config}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def byte_level(folder: Path) -> Path:
    """GPT-2's kind, with ChatML's control tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TOKENIZER_TEXT, bpe_trainer())
    return write(folder, tokenizer, eos_token="<|endoftext|>")


def with_begin_token(folder: Path) -> Path:
    """Llama 3's kind: byte-level, a beginning token put in front by the post-processor."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TOKENIZER_TEXT, bpe_trainer())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", pair="<|endoftext|> $A $B", special_tokens=[("<|endoftext|>", 0)]
    )
    return write(folder, tokenizer, bos_token="<|endoftext|>", eos_token="<|im_end|>")


def sentencepiece_like(folder: Path) -> Path:
    """Llama 2's kind: words marked by ▁, single bytes for what the vocabulary lacks."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    trainer = BpeTrainer(
        vocab_size=700,
        special_tokens=["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TOKENIZER_TEXT[:8], trainer)
    data = json.loads(tokenizer.to_str())
    data["added_tokens"] = data["added_tokens"][:3]  # the bytes are no control tokens
    return write(
        folder,
        Tokenizer.from_str(json.dumps(data)),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
    )


def unigram(folder: Path) -> Path:
    """A vocabulary whose control token is also an ordinary entry."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = UnigramTrainer(
        vocab_size=300, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(TOKENIZER_TEXT[:8] + ["</s>"] * 3, trainer)
    return write(folder, tokenizer, eos_token="</s>", unk_token="<unk>")


def vocab_and_merges(folder: Path) -> Path:
    """The two files from before tokenizer.json."""
    source = byte_level(folder)
    data = json.loads((source / "tokenizer.json").read_text("utf-8"))
    (source / "tokenizer.json").unlink()
    (source / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}', "utf-8")
    (source / "vocab.json").write_text(json.dumps(data["model"]["vocab"]), "utf-8")
    merges = ["#version: 0.2", *(" ".join(pair) for pair in data["model"]["merges"])]
    (source / "merges.txt").write_text("\n".join(merges) + "\n", "utf-8")
    (source / "config.json").write_text('{"model_type": "gpt2"}', "utf-8")
    return folder


def bpe_trainer() -> BpeTrainer:
    return BpeTrainer(
        vocab_size=800,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


MAKES = [byte_level, with_begin_token, sentencepiece_like, unigram, vocab_and_merges]
