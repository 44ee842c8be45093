"""Tokens beside the vocabulary: those that settings add, and those that frame every text.

Three generations of files name them: `added_tokens_decoder` in tokenizer_config.json, before it
added_tokens.json with special_tokens_map.json, and at any time the named ones (bos_token …).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.text.tokenizer_reading import broken, rust_border

if TYPE_CHECKING:
    import tokenizers

TOKEN_NAMES = (
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
)
"""Names that settings have for control tokens, in the order in which they are added."""

LISTED = "added_tokens_decoder"
_LISTS = ("extra_special_tokens", "additional_special_tokens")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")
_Flags = dict[str, bool]
_MAX_TOKENS = 100_000


def token_text(value: Any) -> str | None:
    """The text of a token given as a string or as a serialized AddedToken."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) and value else None


def special_texts(settings: Mapping[str, Any]) -> dict[str, str]:
    """Text by name, such as "bos_token"."""
    texts = {name: token_text(settings.get(name)) for name in TOKEN_NAMES}
    return {name: text for name, text in texts.items() if text is not None}


def merged_settings(
    defaults: Mapping[str, str], settings: Mapping[str, Any], older: Mapping[str, Any]
) -> dict[str, Any]:
    """tokenizer_config.json completed by what its kind goes by and special_tokens_map.json.

    The map is from before `added_tokens_decoder`: beside one it is out of date.
    """
    if LISTED in settings:
        return {**defaults, **older, **settings}
    return {**defaults, **settings, **older}


def add_tokens(
    rust: tokenizers.Tokenizer,
    path: Path,
    settings: Mapping[str, Any],
    legacy: Mapping[str, Any],
    rows: int | None = None,
) -> None:
    """Add to `rust` what the settings name, in the order of ids, as `transformers` does.

    A token that the vocabulary lacks gets the next free id; it is left out where the model has
    no such row: nobody can have trained it.

    Args:
        rust: the tokenizer.
        path: tokenizer_config.json, for messages.
        settings: its content, as `merged_settings` completes it.
        legacy: added_tokens.json, token to id.
        rows: of the model's embedding, if known.

    Raises:
        TokenizerError: an entry is malformed.
    """
    listed = list(_listed(path, settings, legacy))
    named = list(_named(settings))
    with rust_border(path):
        # Where both name a token, tokenizer.json has the last word before added_tokens.json, and
        # added_tokens_decoder before either.
        known = _contents(rust) if LISTED not in settings else {}
        _add(rust, [token for token in listed if token[0] not in known], rows)
        known = _contents(rust)
        _add(
            rust,
            [(text, {**(known.get(text) or flags), "special": True}) for text, flags in named],
            rows,
        )


def _contents(rust: tokenizers.Tokenizer) -> dict[str, _Flags]:
    """The added tokens so far with their flags."""
    tokens = rust.get_added_tokens_decoder().values()
    return {token.content: {flag: getattr(token, flag) for flag in _FLAGS} for token in tokens}


def _add(
    rust: tokenizers.Tokenizer, tokens: Sequence[tuple[str, _Flags]], rows: int | None
) -> None:
    """Add all at once: the library makes its search tree anew at every call."""
    from tokenizers import AddedToken

    free = sys.maxsize if rows is None else rows - rust.get_vocab_size()
    added = {}
    for text, flags in tokens:
        if rust.token_to_id(text) is None and text not in added:
            free -= 1
            if free < 0:
                continue
        added[text] = AddedToken(text, **flags)
    rust.add_tokens(list(added.values()))


def frame(rust: tokenizers.Tokenizer, path: Path, begin: str | None, end: str | None) -> None:
    """Let `rust` put these tokens around every text; None, or one it does not know: nothing.

    Raises:
        TokenizerError: the library refuses the tokens.
    """
    from tokenizers import processors

    ids = {text: rust.token_to_id(text) for text in (begin, end) if text}
    known = {text: token for text, token in ids.items() if token is not None}
    single = [*([begin] if begin in known else []), "$A", *([end] if end in known else [])]
    with rust_border(path):
        rust.post_processor = processors.TemplateProcessing(
            single=single, pair=[*single, "$B"], special_tokens=list(known.items())
        )


def _listed(
    path: Path, settings: Mapping[str, Any], legacy: Mapping[str, Any]
) -> Iterator[tuple[str, _Flags]]:
    """Tokens that are listed with ids, ascending."""
    modern = settings.get(LISTED)
    if isinstance(modern, dict):
        yield from _decoder_entries(path, modern)
        return
    specials = {content for content, _ in _named(settings)}
    for content in _by_id(path, legacy):
        special = content in specials
        yield content, {"normalized": not special, "special": special}


def _decoder_entries(path: Path, modern: Mapping[str, Any]) -> Iterator[tuple[str, _Flags]]:
    if len(modern) > _MAX_TOKENS:
        raise broken(path, f"added_tokens_decoder has {len(modern)} entries")
    entries = {_whole(path, number): entry for number, entry in modern.items()}
    for number in sorted(entries):
        entry = entries[number]
        text = token_text(entry)
        if text is None or not isinstance(entry, dict):
            raise broken(path, f"added_tokens_decoder: entry {number} has no content")
        yield text, {flag: entry[flag] is True for flag in _FLAGS if flag in entry}


def _by_id(path: Path, legacy: Mapping[str, Any]) -> list[str]:
    if not all(type(number) is int for number in legacy.values()):
        raise broken(path.with_name("added_tokens.json"), "an id is not a whole number")
    return sorted((text for text in legacy if text), key=lambda text: int(legacy[text]))


def _whole(path: Path, number: str) -> int:
    if not (number.isascii() and number.isdigit() and len(number) < 12):
        raise broken(path, f"added_tokens_decoder: {number[:50]!r} is not an id")
    return int(number)


def _named(settings: Mapping[str, Any]) -> Iterator[tuple[str, _Flags]]:
    """Control tokens that are named without an id."""
    values = [settings.get(name) for name in TOKEN_NAMES]
    for name in _LISTS:
        value = settings.get(name)
        values += value.values() if isinstance(value, dict) else ()
        values += value if isinstance(value, list) else ()
    for value in values:
        content = token_text(value)
        if content is not None:
            given = value if isinstance(value, dict) else {}
            flags = {flag: given[flag] is True for flag in _FLAGS if flag in given}
            yield content, {"normalized": False, **flags, "special": True}
