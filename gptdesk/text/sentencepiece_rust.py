"""A sentencepiece vocabulary as a `tokenizers` object, so that one backend serves all models.

A vocabulary says which pieces there are; how text is cut into words before and joined after
differs between makers (`Scheme`), as it does in `transformers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from gptdesk.text.sentencepiece_model import PieceType, SentencePieceModel
from gptdesk.text.tokenizer_reading import broken, rust_border

if TYPE_CHECKING:
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers

Scheme = Literal["file", "llama", "llama-legacy", "gemma", "t5"]
"""What comes before and after the vocabulary.

file          what the sentencepiece file itself says
llama         no normalizing; a space in front of the text if the file or the settings want it
llama-legacy  the same, but a space comes after every control token as well
gemma         no normalizing, nothing in front
t5            the file's normalizing, words cut at white space, a space in front of each
"""

_SPACE = "▁"
_LONGEST_MERGED = 256  # characters; merging by rank costs its square
_JOINABLE = (PieceType.NORMAL, PieceType.USER_DEFINED, PieceType.UNUSED)


def to_tokenizer(
    model: SentencePieceModel, scheme: Scheme = "file", prefix: bool | None = None
) -> tokenizers.Tokenizer:
    """The tokenizer of a sentencepiece vocabulary; control and user-defined pieces are added tokens.

    Args:
        model: the vocabulary.
        scheme: how text is prepared.
        prefix: whether a text starts as if a space stood in front; None: as the scheme has it.

    Raises:
        TokenizerError: the vocabulary is unusable.
    """
    import tokenizers
    from tokenizers import AddedToken

    if prefix is None:
        prefix = model.add_dummy_prefix if scheme == "file" else scheme != "gemma"
    with rust_border(model.path):
        rust = tokenizers.Tokenizer(_model(model))
        normalizer = _normalizer(model, scheme, prefix)
        if normalizer is not None:
            rust.normalizer = normalizer
        rust.pre_tokenizer = _pre_tokenizer(scheme, prefix)
        rust.decoder = _decoder(model, scheme, prefix)
        rust.add_tokens(
            [
                AddedToken(token, special=kind != PieceType.USER_DEFINED, normalized=False)
                for token, kind in zip(model.tokens, model.types, strict=True)
                if kind in (PieceType.UNKNOWN, PieceType.CONTROL, PieceType.USER_DEFINED)
            ]
        )
    return rust


def merges_from_scores(model: SentencePieceModel) -> list[tuple[str, str]]:
    """The merges that a BPE vocabulary implies, best first.

    Sentencepiece joins whichever neighbours make the piece with the best score; `tokenizers`
    wants the pairs listed. Every way to cut a piece into two others is a pair of its rank.

    Raises:
        TokenizerError: a piece is too long to come from a merge.
    """
    ids = {
        token: at
        for at, (token, kind) in enumerate(zip(model.tokens, model.types, strict=True))
        if kind in _JOINABLE
    }
    merges = [merge for token in ids for merge in _cuts(model, token, ids)]
    merges.sort()
    return [(left, right) for *_, left, right in merges]


def _cuts(
    model: SentencePieceModel, token: str, ids: Mapping[str, int]
) -> Iterator[tuple[float, int, int, int, int, int, str, str]]:
    at = ids[token]
    if len(token) > _LONGEST_MERGED:
        if model.types[at] == PieceType.USER_DEFINED:
            return  # found in the text as a whole
        raise broken(model.path, f"piece {at} has {len(token)} characters")
    for cut in range(1, len(token)):
        left, right = token[:cut], token[cut:]
        if left in ids and right in ids:
            lengths = len(left), len(right)
            yield -model.scores[at], at, *lengths, ids[left], ids[right], left, right


def _model(model: SentencePieceModel) -> models.Model:
    from tokenizers import models

    unknown = model.unknown_id
    if not model.is_bpe:
        pairs = list(zip(model.tokens, model.scores, strict=True))
        return models.Unigram(pairs, unk_id=unknown, byte_fallback=model.has_bytes)
    return models.BPE(
        vocab={token: at for at, token in enumerate(model.tokens)},
        merges=merges_from_scores(model),
        unk_token=None if unknown is None else model.tokens[unknown],
        fuse_unk=True,
        byte_fallback=model.has_bytes,
    )


def _normalizer(
    model: SentencePieceModel, scheme: Scheme, prefix: bool
) -> normalizers.Normalizer | None:
    from tokenizers import Regex, normalizers

    if scheme == "gemma":
        return normalizers.Replace(" ", _SPACE)
    steps: list[normalizers.Normalizer] = []
    if scheme in ("file", "t5") and model.charsmap:
        steps.append(normalizers.Precompiled(model.charsmap))
    if scheme == "file" and model.remove_extra_whitespaces:
        # Only what starts at the text's first character counts as its start to Metaspace, so that
        # leading spaces become the one in front instead of going. (^ would match at every line.)
        front = normalizers.Replace(Regex(r"\A +"), " " if prefix else "")
        steps += [front, normalizers.Replace(Regex(r" +\z"), "")]
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    return normalizers.Sequence(steps) if steps else None


def _pre_tokenizer(scheme: Scheme, prefix: bool) -> pre_tokenizers.PreTokenizer:
    from tokenizers import pre_tokenizers

    if scheme == "gemma":
        return pre_tokenizers.Split(" ", "merged_with_previous")
    if scheme == "t5":
        words = pre_tokenizers.Metaspace(_SPACE, prepend_scheme="always", split=True)
        return pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), words])
    places: Literal["always", "first"] = "always" if scheme == "llama-legacy" else "first"
    return pre_tokenizers.Metaspace(
        _SPACE, prepend_scheme=places if prefix else "never", split=False
    )


def _decoder(model: SentencePieceModel, scheme: Scheme, prefix: bool) -> decoders.Decoder:
    from tokenizers import decoders

    if scheme == "t5":
        return decoders.Metaspace(_SPACE, prepend_scheme="always", split=True)
    steps: list[decoders.Decoder] = [decoders.Replace(_SPACE, " ")]
    if model.has_bytes:
        steps.append(decoders.ByteFallback())
    steps.append(decoders.Fuse())
    if prefix:
        steps.append(decoders.Strip(" ", 1, 0))
    return decoders.Sequence(steps)
