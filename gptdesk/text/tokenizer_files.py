"""Reads the files that describe a folder's tokenizer, of whichever kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.errors import TokenizerError
from gptdesk.text import tokenizer_vocabularies as vocabularies
from gptdesk.text.added_tokens import add_tokens, frame, merged_settings, special_texts
from gptdesk.text.character_vocabulary import CHARACTERS_FILE, read_characters
from gptdesk.text.chat_template_files import read_chat_templates
from gptdesk.text.tokenizer_json import read_tokenizer_json
from gptdesk.text.tokenizer_reading import broken, read_json
from gptdesk.text.tokenizer_vocabularies import Vocabulary

if TYPE_CHECKING:
    import tokenizers

_SETTINGS_FILE = "tokenizer_config.json"
_PIECES_FILES = ("tokenizer.model", "spiece.model")


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """What a folder says about its tokenizer.

    Attributes:
        path: the main file, for messages.
        rust: the tokenizer itself.
        vocab_size: its largest id plus one: ids may have gaps.
        end_ids: ids that end a text.
        special_texts: "bos_token" and the like with their text, as chat templates see them.
        chat_templates: by name; "default" is the one for plain conversations.
    """

    path: Path
    rust: tokenizers.Tokenizer
    vocab_size: int
    end_ids: frozenset[int] = frozenset()
    special_texts: Mapping[str, str] = field(default_factory=dict)
    chat_templates: Mapping[str, str] = field(default_factory=dict)


def read(root: Path, config_data: Mapping[str, Any]) -> TokenizerFiles:
    """Read the tokenizer of the folder `root`; `config_data` is its parsed config.json.

    Raises:
        TokenizerError: a file is missing, broken or too large, or the tokenizer has ids that
            the model's embedding lacks.
    """
    settings = read_json(root / _SETTINGS_FILE)
    vocabulary = _read_vocabulary(root, settings, config_data)
    rust = vocabulary.rust
    rust.no_truncation()
    rust.no_padding()
    size = vocab_size(rust)
    _check_size(vocabulary.path, size, config_data)
    known = {n: text for n, text in vocabulary.names.items() if rust.token_to_id(text) is not None}
    settings = merged_settings(known, settings, read_json(root / "special_tokens_map.json"))
    legacy = read_json(root / "added_tokens.json")
    rows = _as_size(config_data.get("vocab_size"))
    add_tokens(rust, root / _SETTINGS_FILE, settings, legacy, rows)
    size = max(size, *(number + 1 for number in rust.get_added_tokens_decoder()), 0)
    texts = special_texts(settings)
    if vocabulary.path.name != "tokenizer.json":  # that has its frame in itself
        _frame(vocabulary, settings, texts)
    generation = read_json(root / "generation_config.json")
    return TokenizerFiles(
        vocabulary.path,
        rust,
        size,
        _end_ids(rust, size, generation, config_data, texts),
        texts,
        read_chat_templates(root, settings),
    )


def vocab_size(rust: tokenizers.Tokenizer) -> int:
    """The largest id plus one; slow for a large vocabulary, which is copied."""
    return max(rust.get_vocab(with_added_tokens=True).values(), default=-1) + 1


def _read_vocabulary(
    root: Path, settings: Mapping[str, Any], config_data: Mapping[str, Any]
) -> Vocabulary:
    """The vocabulary of the folder; where it has several files, the one that says most."""
    if (root / "tokenizer.json").is_file():
        path = root / "tokenizer.json"
        rows = _as_size(config_data.get("vocab_size"))
        return Vocabulary(path, read_tokenizer_json(path, rows))
    name = settings.get("tokenizer_class") or config_data.get("tokenizer_class")
    class_name = name.removesuffix("Fast") if isinstance(name, str) else ""
    vocab, merges = root / "vocab.json", root / "merges.txt"
    if vocab.is_file() and merges.is_file():
        return vocabularies.read_byte_level(vocab, merges, class_name, settings)
    for path in (root / name for name in _PIECES_FILES):
        if path.is_file():
            return vocabularies.read_pieces(path, class_name, settings)
    if (root / "vocab.txt").is_file():
        return vocabularies.read_word_pieces(root / "vocab.txt", settings)
    if (root / CHARACTERS_FILE).is_file():
        return read_characters(root / CHARACTERS_FILE)
    raise TokenizerError(
        f"The folder {root} holds no tokenizer: neither tokenizer.json nor vocab.json with "
        "merges.txt, tokenizer.model or vocab.txt.",
        "Download the model's tokenizer files into the same folder.",
    )


def _frame(vocabulary: Vocabulary, settings: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """Put in front and behind what the kind demands, or else what the settings ask for."""
    begin = "bos_token" if settings.get("add_bos_token") is True else ""
    end = "eos_token" if settings.get("add_eos_token") is True else ""
    begin, end = vocabulary.begin or begin, vocabulary.end or end
    if begin or end:
        frame(vocabulary.rust, vocabulary.path, texts.get(begin), texts.get(end))


def _check_size(path: Path, size: int, config_data: Mapping[str, Any]) -> None:
    rows = _as_size(config_data.get("vocab_size"))
    if size == 0:
        raise broken(path, "it has no tokens")
    if rows is not None and size > rows:
        raise TokenizerError(
            f"{path.name} in {path.parent} has ids up to {size - 1}, but the model only has "
            f"{rows} (vocab_size in config.json).",
            "The tokenizer belongs to another model. Download the folder again.",
        )


def _as_size(value: Any) -> int | None:
    return value if type(value) is int else None


def _end_ids(
    rust: tokenizers.Tokenizer,
    size: int,
    generation: Mapping[str, Any],
    config_data: Mapping[str, Any],
    texts: Mapping[str, str],
) -> frozenset[int]:
    """Ids that end a text: generation_config.json before config.json; the tokenizer's always."""
    ids = _as_ids(generation.get("eos_token_id")) or _as_ids(config_data.get("eos_token_id"))
    named = rust.token_to_id(texts.get("eos_token", ""))
    if named is not None:
        ids.add(named)
    ends = frozenset(i for i in ids if 0 <= i < size)
    # Models with BERT's vocabulary end a text as BERT ends a sentence; their configs name an id
    # of GPT-2's vocabulary, left over from the defaults.
    separator = rust.token_to_id(texts.get("sep_token", "")) if not ends else None
    return ends if separator is None else frozenset({separator})


def _as_ids(value: Any) -> set[int]:
    values = value if isinstance(value, list) else [value]
    return {i for i in values if type(i) is int}
