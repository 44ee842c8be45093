"""What a sentencepiece file (`tokenizer.model`) says, as plain data.

The file is a protocol buffer, `ModelProto` of sentencepiece_model.proto; the sentencepiece
package parses it. Types of pieces and kinds of models carry the numbers of that schema, which
GGUF uses too (`tokenizer.ggml.token_type`).
"""

from __future__ import annotations

import enum
import importlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gptdesk.text.tokenizer_bounds import why_bad_charsmap
from gptdesk.text.tokenizer_reading import broken, read_bytes

_MAX_BYTES = 16 << 20  # three times the largest in use
_MAX_PIECES = 2_000_000
_LONGEST_PIECE = 256  # characters; pieces in use have at most some dozens


class PieceType(enum.IntEnum):
    """What an entry of the vocabulary is for."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


_UNIGRAM, _BPE = 1, 2
_TIKTOKEN = re.compile(rb"[A-Za-z0-9+/]+=* [0-9]+\r?")  # a token in base64, and its rank


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """A vocabulary with scores, and how text is prepared for it.

    Attributes:
        path: the file, for messages.
        tokens: the pieces by id, white space written as ▁.
        scores: log-probability (unigram) or minus the rank of the merge (BPE), by id.
        types: a `PieceType` by id.
        is_bpe: merge by rank; otherwise choose the likeliest segmentation (unigram).
        add_dummy_prefix: a text starts as if a space stood in front.
        remove_extra_whitespaces: runs of spaces count as one, those at the ends as none.
        charsmap: the compiled table of character replacements, b"" for none.
        control_names: "bos_token" and the like with their pieces.
    """

    path: Path
    tokens: Sequence[str]
    scores: Sequence[float]
    types: Sequence[int]
    is_bpe: bool = True
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = False
    charsmap: bytes = b""
    control_names: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def unknown_id(self) -> int | None:
        """The id that stands for what no piece covers, or None."""
        return next((i for i, kind in enumerate(self.types) if kind == PieceType.UNKNOWN), None)

    def with_controls(self, tokens: Sequence[str]) -> SentencePieceModel:
        """The same with further control pieces at the end, those that are new."""
        new = [token for token in tokens if token not in self.tokens]
        return replace(
            self,
            tokens=[*self.tokens, *new],
            scores=[*self.scores, *(0.0 for _ in new)],
            types=[*self.types, *(PieceType.CONTROL for _ in new)],
        )

    @property
    def has_bytes(self) -> bool:
        """Whether single bytes stand for characters that no piece covers."""
        return PieceType.BYTE in self.types


def read_sentencepiece(path: Path) -> SentencePieceModel:
    """Parse a `tokenizer.model`.

    Raises:
        TokenizerError: it is broken, too large, or of a kind other than unigram and BPE.
    """
    # Modules that protobuf generates have no types.
    schema: Any = importlib.import_module("sentencepiece.sentencepiece_model_pb2")
    errors: Any = importlib.import_module("google.protobuf.message")
    data = read_bytes(path, _MAX_BYTES)
    if data and _TIKTOKEN.fullmatch(data[:4096].split(b"\n")[0]):
        raise broken(path, "it is a vocabulary of tiktoken; tokenizer.json is needed")
    proto = schema.ModelProto()
    try:
        proto.ParseFromString(data)
    except (errors.DecodeError, ValueError) as error:
        raise broken(path, f"it is no sentencepiece model: {error}") from error
    return _from_proto(path, proto)


def _from_proto(path: Path, proto: Any) -> SentencePieceModel:
    kind = proto.trainer_spec.model_type
    if kind not in (_UNIGRAM, _BPE):
        raise broken(path, f"model_type is {kind}; expected 1 (unigram) or 2 (BPE)")
    if len(proto.pieces) > _MAX_PIECES:
        raise broken(path, f"it has {len(proto.pieces)} pieces")
    try:
        tokens = [piece.piece for piece in proto.pieces]
    except UnicodeDecodeError as error:
        raise broken(path, f"a piece is not UTF-8: {error}") from error
    return SentencePieceModel(
        path,
        tokens,
        [piece.score for piece in proto.pieces],
        [piece.type for piece in proto.pieces],
        kind == _BPE,
        proto.normalizer_spec.add_dummy_prefix,
        proto.normalizer_spec.remove_extra_whitespaces,
        bytes(proto.normalizer_spec.precompiled_charsmap),
        _control_names(proto.trainer_spec, tokens),
    )


def _control_names(trainer: Any, tokens: Sequence[str]) -> dict[str, str]:
    ids = {
        "bos_token": trainer.bos_id,
        "eos_token": trainer.eos_id,
        "unk_token": trainer.unk_id,
        "pad_token": trainer.pad_id,
    }
    return {name: tokens[at] for name, at in ids.items() if 0 <= at < len(tokens)}


def _check(model: SentencePieceModel) -> None:
    size = len(model.tokens)
    if size == 0:
        raise broken(model.path, "it has no pieces")
    if not size == len(model.scores) == len(model.types):
        counts = f"{size} tokens, {len(model.scores)} scores and {len(model.types)} types"
        raise broken(model.path, f"it has {counts}; there must be as many of each")
    why = why_bad_charsmap(model.charsmap)
    if why:
        raise broken(model.path, why)
    seen: set[str] = set()
    for at, (token, score) in enumerate(zip(model.tokens, model.scores, strict=True)):
        if not token or len(token) > _LONGEST_PIECE:
            raise broken(model.path, f"piece {at} has {len(token)} characters")
        if token in seen:
            raise broken(model.path, f"piece {at} occurs twice: {token[:50]!r}")
        if math.isnan(score):
            raise broken(model.path, f"the score of piece {at}, {token[:50]!r}, is no number")
        seen.add(token)
