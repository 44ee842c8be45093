"""Reads the files that describe a tokenizer: bounded, inside the model's folder, panics caught."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.errors import TokenizerError

if TYPE_CHECKING:
    import tokenizers

_MAX_TOKENIZER_BYTES = 64 << 20  # twice the largest in use (a vocabulary of 262,144)
_MAX_SETTINGS_BYTES = 4 << 20
_TOKEN_NAMES = ("bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token")
_ESCAPED_LETTER = re.compile(r"(?<!\\)(?:\\\\)*\\u00[4-7][0-9a-fA-F]")
_SUBWORD_PREFIX = re.compile(r'"continuing_subword_prefix"\s*:\s*"[^"]')
_GPT2_END = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class TokenizerFiles:
    """What a folder says about its tokenizer.

    Attributes:
        path: the main file, for messages.
        rust: the tokenizer itself.
        end_ids: ids that end a text.
        special_texts: "bos_token" and the like with their text, as chat templates see them.
        chat_template: the default template, or None.
    """

    path: Path
    rust: tokenizers.Tokenizer
    end_ids: frozenset[int] = frozenset()
    special_texts: Mapping[str, str] = field(default_factory=dict)
    chat_template: str | None = None


@contextlib.contextmanager
def rust_border(path: Path) -> Iterator[None]:
    """Turn whatever the Rust library raises, panics included, into a `TokenizerError`."""
    try:
        yield
    except (TokenizerError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a Rust panic is no Exception
        raise _broken(path, str(error)) from None


def read(root: Path, config_data: Mapping[str, Any]) -> TokenizerFiles:
    """Read the tokenizer of the folder `root`; `config_data` is its parsed config.json.

    Raises:
        TokenizerError: a file is missing, broken or too large, or the tokenizer has ids that
            the model's embedding lacks.
    """
    settings = _read_json(root / "tokenizer_config.json")
    path = root / "tokenizer.json"
    if path.is_file():
        rust = _from_json(path)
    else:
        path = root / "vocab.json"
        rust = _from_vocab_and_merges(path, root / "merges.txt", settings)
    rust.no_truncation()
    rust.no_padding()
    _check_size(path, rust, config_data)
    special_texts = _special_texts(settings, _read_json(root / "special_tokens_map.json"))
    generation = _read_json(root / "generation_config.json")
    return TokenizerFiles(
        path,
        rust,
        _end_ids(rust, generation, config_data, special_texts),
        special_texts,
        _chat_template(root, settings),
    )


def vocab_size(rust: tokenizers.Tokenizer) -> int:
    """The largest id plus one: ids may have gaps."""
    return max(rust.get_vocab(with_added_tokens=True).values(), default=-1) + 1


def _from_json(path: Path) -> tokenizers.Tokenizer:
    import tokenizers

    text = read_text(path, _MAX_TOKENIZER_BYTES)
    _refuse_deadly(path, text)
    with rust_border(path):
        return tokenizers.Tokenizer.from_str(text)


def _refuse_deadly(path: Path, text: str) -> None:
    """Refuse what makes the Rust library abort the whole process: a panic within a panic."""
    if _ESCAPED_LETTER.search(text):  # nobody writes names so, except to hide them
        raise _broken(path, "it spells letters as escapes")
    if _SUBWORD_PREFIX.search(text):
        raise _broken(path, "continuing_subword_prefix is not empty; no GPT has one")


def _from_vocab_and_merges(
    vocab_path: Path, merges_path: Path, settings: Mapping[str, Any]
) -> tokenizers.Tokenizer:
    """The byte-level BPE of GPT-2, as written before tokenizer.json existed."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    if not vocab_path.is_file() or not merges_path.is_file():
        raise TokenizerError(
            f"The folder {vocab_path.parent} holds no tokenizer: neither tokenizer.json nor "
            "vocab.json with merges.txt.",
            "Download the model's tokenizer files into the same folder.",
        )
    vocab = _read_json(vocab_path, _MAX_TOKENIZER_BYTES)
    if not all(type(token_id) is int and 0 <= token_id < 1 << 32 for token_id in vocab.values()):
        raise _broken(vocab_path, "an id is not a whole number")
    with rust_border(merges_path):
        rust = tokenizers.Tokenizer(models.BPE(vocab=vocab, merges=_read_merges(merges_path)))
        spaced = settings.get("add_prefix_space") is True
        rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
        rust.decoder = decoders.ByteLevel()
        _add_special_tokens(rust, settings, vocab)
    return rust


def _read_merges(path: Path) -> list[tuple[str, str]]:
    merges = []
    for number, line in enumerate(read_text(path, _MAX_TOKENIZER_BYTES).split("\n"), 1):
        if not line.strip() or (number == 1 and line.startswith("#version")):
            continue
        left, space, right = line.rstrip("\r").partition(" ")
        if not (left and space and right) or " " in right:
            raise _broken(path, f"line {number} is not a pair of tokens")
        merges.append((left, right))
    return merges


def _add_special_tokens(
    rust: tokenizers.Tokenizer, settings: Mapping[str, Any], vocab: Mapping[str, int]
) -> None:
    from tokenizers import AddedToken

    listed = settings.get("added_tokens_decoder")
    entries = listed.values() if isinstance(listed, dict) else []
    contents = [entry.get("content") for entry in entries if isinstance(entry, dict)]
    contents += [_token_text(settings.get(name)) for name in _TOKEN_NAMES]
    contents.append(_GPT2_END)
    known = dict.fromkeys(c for c in contents if isinstance(c, str) and c in vocab)
    rust.add_special_tokens([AddedToken(c, special=True, normalized=False) for c in known])


def _check_size(path: Path, rust: tokenizers.Tokenizer, config_data: Mapping[str, Any]) -> None:
    rows = config_data.get("vocab_size")
    size = vocab_size(rust)
    if size == 0:
        raise _broken(path, "it has no tokens")
    if type(rows) is int and size > rows:
        raise TokenizerError(
            f"{path.name} in {path.parent} has ids up to {size - 1}, but the model only has "
            f"{rows} (vocab_size in config.json).",
            "The tokenizer belongs to another model. Download the folder again.",
        )


def _end_ids(
    rust: tokenizers.Tokenizer,
    generation: Mapping[str, Any],
    config_data: Mapping[str, Any],
    special_texts: Mapping[str, str],
) -> frozenset[int]:
    """Ids that end a text: generation_config.json before config.json; the tokenizer's always."""
    ids = _as_ids(generation.get("eos_token_id")) or _as_ids(config_data.get("eos_token_id"))
    named = rust.token_to_id(special_texts.get("eos_token", ""))
    if named is not None:
        ids.add(named)
    size = vocab_size(rust)
    return frozenset(i for i in ids if 0 <= i < size)


def _as_ids(value: Any) -> set[int]:
    values = value if isinstance(value, list) else [value]
    return {i for i in values if type(i) is int}


def _special_texts(settings: Mapping[str, Any], older: Mapping[str, Any]) -> dict[str, str]:
    texts = {}
    for name in (*_TOKEN_NAMES, "mask_token"):
        text = _token_text(settings.get(name)) or _token_text(older.get(name))
        if text is not None:
            texts[name] = text
    return texts


def _token_text(value: Any) -> str | None:
    """The text of a token given as a string or as a serialized AddedToken."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) and value else None


def _chat_template(root: Path, settings: Mapping[str, Any]) -> str | None:
    path = root / "chat_template.jinja"
    if path.is_file():
        return read_text(path, _MAX_SETTINGS_BYTES)
    value = settings.get("chat_template")
    if value is None:
        value = _read_json(root / "chat_template.json").get("chat_template")
    if isinstance(value, list):  # several named ones
        named = {e.get("name"): e.get("template") for e in value if isinstance(e, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else None


def read_text(path: Path, limit: int) -> str:
    """Text of a file of at most `limit` bytes.

    Raises:
        TokenizerError: it is larger, no regular file, or not UTF-8.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise _broken(path, f"it has {size} bytes, more than the {limit} allowed")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _broken(path, str(error)) from error


def _read_json(path: Path, limit: int = _MAX_SETTINGS_BYTES) -> dict[str, Any]:
    """A JSON object; {} when the file does not exist."""
    if not path.is_file():
        return {}
    try:
        data = json.loads(read_text(path, limit))
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(data, dict):
        raise _broken(path, "it is not a JSON object")
    return data


def _broken(path: Path, why: str) -> TokenizerError:
    return TokenizerError(
        f"{path.name} in {path.parent} cannot be used: {why[:300]}",
        "Download the model's tokenizer files again.",
        why[:10_000],
    )
