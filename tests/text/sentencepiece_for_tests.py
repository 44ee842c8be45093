"""Small sentencepiece files of several kinds, trained in a moment."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import sentencepiece

from tests.helpers.checkpoints import TOKENIZER_TEXT


def write(path: Path, kind: str) -> Path:
    """A model of the `kind`, one of `KINDS`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model_bytes(kind))
    return path


@functools.cache
def model_bytes(kind: str) -> bytes:
    """The content of a `tokenizer.model`."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TOKENIZER_TEXT * 3),
        model_writer=model,
        vocab_size=600,
        hard_vocab_limit=False,
        minloglevel=2,
        **KINDS[kind],
    )
    return model.getvalue()


_UNTOUCHED: dict[str, Any] = {
    "normalization_rule_name": "identity",
    "remove_extra_whitespaces": False,
    "allow_whitespace_only_pieces": True,
}

KINDS: dict[str, dict[str, Any]] = {
    "llama": {"model_type": "bpe", "byte_fallback": True, "split_digits": True, **_UNTOUCHED},
    "gemma": {
        "model_type": "bpe",
        "byte_fallback": True,
        "add_dummy_prefix": False,
        "pad_id": 0,
        "eos_id": 1,
        "bos_id": 2,
        "unk_id": 3,
        "eos_piece": "<eos>",
        "bos_piece": "<bos>",
        "user_defined_symbols": ["<start_of_turn>", "<end_of_turn>", "\n\n", "▁▁"],
        **_UNTOUCHED,
    },
    "t5": {
        "model_type": "unigram",
        "normalization_rule_name": "nmt_nfkc",
        "pad_id": 0,
        "eos_id": 1,
        "unk_id": 2,
        "bos_id": -1,
    },
    "unigram": {"model_type": "unigram", "byte_fallback": True, "normalization_rule_name": "nfkc"},
}
