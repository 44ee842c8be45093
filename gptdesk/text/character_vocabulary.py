"""Tokenizers of single characters: `meta.pkl`, as nanoGPT's data scripts write it.

The file is a pickle of a dictionary whose `stoi` maps characters to ids. It is read for its plain
values and never unpickled. A character that the vocabulary lacks is left out of the text.
"""

from __future__ import annotations

from pathlib import Path

from gptdesk.inert_pickle import DamagedPickleError, UnknownNameError, read_pickle
from gptdesk.text.tokenizer_reading import MAX_SETTINGS_BYTES, broken, read_bytes, rust_border
from gptdesk.text.tokenizer_vocabularies import Vocabulary

CHARACTERS_FILE = "meta.pkl"


def read_characters(path: Path) -> Vocabulary:
    """The vocabulary in a `meta.pkl`.

    Raises:
        TokenizerError: it is too large, damaged, holds code, or is no map from characters to ids.
    """
    import tokenizers
    from tokenizers import decoders, models

    try:
        data = read_pickle(read_bytes(path, MAX_SETTINGS_BYTES))
    except (DamagedPickleError, UnknownNameError) as error:
        raise broken(path, str(error)) from error
    vocab = data.get("stoi") if isinstance(data, dict) else None
    if not isinstance(vocab, dict) or not vocab:
        raise broken(path, "it has no stoi, a map from characters to ids")
    if not all(
        isinstance(text, str) and len(text) == 1 and type(i) is int and 0 <= i < 1 << 22
        for text, i in vocab.items()
    ):
        raise broken(path, "its stoi does not map single characters to ids")
    if len(set(vocab.values())) != len(vocab):
        raise broken(path, "its stoi gives two characters one id")
    with rust_border(path):
        rust = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=[]))
        rust.decoder = decoders.Fuse()
    return Vocabulary(path, rust)
