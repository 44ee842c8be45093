"""The tokenizer of the bundled model: byte-level BPE, balanced over the languages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from base_corpus import END

from gptdesk.training.config import TokenizerSettings
from gptdesk.training.tokenizer_training import special_tokens, train_tokenizer, write_tokenizer

VOCABULARY = 16_384
CONTEXT = 1024

SAMPLE = {
    "prose_en_books": 5_000_000,
    "prose_en_modern": 5_000_000,
    "prose_en_wiki": 5_000_000,
    "sum_en_arxiv_title": 2_000_000,
    "prose_zh_wiki": 2_500_000,
    "prose_zh_tech": 1_200_000,
    "prose_zh_classics_modern": 1_200_000,
    "prose_zh_law": 400_000,
    "prose_zh_poetry": 400_000,
    "sum_zh_arxiv_tldr": 600_000,
    "mt_en-zh": 2_000_000,
    "mt_en-de": 2_000_000,
    "mt_en-fr": 2_000_000,
}
"""Characters of each source. A Chinese character says about as much as three or four English ones,
so Chinese has a third of the characters of English; German and French stand in the pairs."""

_MOST_OF_A_DOCUMENT = 20_000


def write_base_tokenizer(text: Path, folder: Path, seed: int = 1) -> None:
    """Train on the texts in a folder and write tokenizer.json and tokenizer_config.json."""
    specials = special_tokens(TokenizerSettings(), ())
    tokenizer = train_tokenizer(_sample(text, seed), "qwen2", VOCABULARY, specials)
    write_tokenizer(tokenizer, folder, CONTEXT)


def _sample(text: Path, seed: int) -> Iterator[str]:
    draw = random.Random(seed)
    for name, characters in SAMPLE.items():
        documents = (text / f"{name}.txt").read_text("utf-8").split(f"\n{END}\n")
        draw.shuffle(documents)
        for document in documents:
            if characters <= 0:
                break
            piece = document[:_MOST_OF_A_DOCUMENT]
            characters -= len(piece)
            yield piece
