"""The tokenizer that a GGUF file holds as lists of tokens, merges and scores.

Two kinds: "gpt2", byte-level BPE with merges, and "llama", a sentencepiece vocabulary with scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gptdesk.text.bpe_splitting import Splitting
from gptdesk.text.sentencepiece_model import PieceType, SentencePieceModel
from gptdesk.text.sentencepiece_rust import to_tokenizer
from gptdesk.text.tokenizer_reading import broken, rust_border

if TYPE_CHECKING:
    import tokenizers

_ENDINGS = frozenset(
    (
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|im_end|>",
        "<|end|>",
        "<end_of_turn>",
        "<EOT>",
    )
)
"""Control tokens that end a text or a turn wherever they exist; files name one of them only."""

_SWALLOW_NOTHING = frozenset(("<unk>", "<s>", "<|endoftext|>"))


@dataclass(frozen=True, slots=True)
class GgufVocabulary:
    """What the metadata say about tokens.

    Attributes:
        path: the file, for messages.
        kind: of vocabulary.
        tokens: by id.
        types: a `PieceType` by id; empty for ordinary tokens only.
        scores: by id, for "llama".
        merges: pairs with a space between, best first, for "gpt2".
        splitting: how words are cut, for "gpt2".
        swallows: control tokens take the white space behind them, as those of Phi-3 do.
        space_prefix: a text starts as if a space stood in front, for "llama".
        named: "bos_token" and the like with their ids.
        ends: further ids that end a text or turn.
        frame: whether the ids of a text start with the first of "bos_token", end with
            "eos_token".
        chat_template: the Jinja text, or None.
    """

    path: Path
    kind: Literal["gpt2", "llama"]
    tokens: Sequence[str]
    types: Sequence[int]
    scores: Sequence[float]
    merges: Sequence[str]
    splitting: Splitting
    swallows: bool
    space_prefix: bool
    named: dict[str, int]
    ends: Sequence[int]
    frame: tuple[bool, bool]
    chat_template: str | None

    @property
    def special_texts(self) -> dict[str, str]:
        """Names such as "bos_token" with the token's text."""
        return {name: self.tokens[at] for name, at in self.named.items()}

    @property
    def end_ids(self) -> frozenset[int]:
        """Ids that end a text or a turn."""
        marks = (PieceType.CONTROL, PieceType.USER_DEFINED)
        by_text = {
            at
            for at, (token, kind) in enumerate(zip(self.tokens, self.types, strict=False))
            if kind in marks and token in _ENDINGS
        }
        named = {self.named["eos_token"]} if "eos_token" in self.named else set()
        return frozenset(by_text | named | set(self.ends))

    def to_rust(self) -> tokenizers.Tokenizer:
        """The tokenizer itself.

        Raises:
            TokenizerError: tokens and merges do not fit together.
        """
        rust = _from_pieces(self) if self.kind == "llama" else _from_merges(self)
        with rust_border(self.path):
            _add_named(rust, self)
            if self.swallows:
                _let_swallow(rust)
            _add_frame(rust, self)
        return rust


def _from_pieces(vocabulary: GgufVocabulary) -> tokenizers.Tokenizer:
    types = list(vocabulary.types) or [PieceType.NORMAL] * len(vocabulary.tokens)
    tokens = [
        # Of Gemma's runs of spaces the converter writes the spaces themselves.
        token.replace(" ", "▁") if kind == PieceType.USER_DEFINED and token.isspace() else token
        for token, kind in zip(vocabulary.tokens, types, strict=True)
    ]
    pieces = SentencePieceModel(vocabulary.path, tokens, vocabulary.scores, types)
    scheme: Literal["llama-legacy", "gemma"]
    scheme = "llama-legacy" if vocabulary.space_prefix else "gemma"
    return to_tokenizer(pieces, scheme, vocabulary.space_prefix)


def _from_merges(vocabulary: GgufVocabulary) -> tokenizers.Tokenizer:
    import tokenizers
    from tokenizers import AddedToken, decoders, models

    splitting = vocabulary.splitting
    types = vocabulary.types or [PieceType.NORMAL] * len(vocabulary.tokens)
    ids: dict[str, int] = {}
    for at, (token, kind) in enumerate(zip(vocabulary.tokens, types, strict=True)):
        if kind != PieceType.UNUSED:  # rows of the embedding that no text reaches
            ids.setdefault(token, at)
    with rust_border(vocabulary.path):
        model = models.BPE(
            vocab=ids,
            merges=_pairs(vocabulary),
            ignore_merges=splitting.whole_words,
        )
        rust = tokenizers.Tokenizer(model)
        normalizer = splitting.normalizer()
        if normalizer is not None:
            rust.normalizer = normalizer
        rust.pre_tokenizer = splitting.pre_tokenizer()
        rust.decoder = decoders.ByteLevel()
        for token, at in ids.items():
            if types[at] in (PieceType.CONTROL, PieceType.UNKNOWN):
                rust.add_special_tokens([AddedToken(token, special=True, normalized=False)])
            elif types[at] == PieceType.USER_DEFINED:
                rust.add_tokens([AddedToken(token, special=False, normalized=False)])
    return rust


def _pairs(vocabulary: GgufVocabulary) -> list[tuple[str, str]]:
    pairs = []
    for number, merge in enumerate(vocabulary.merges):
        left, space, right = merge.partition(" ")
        if not (left and space and right) or " " in right:
            raise broken(vocabulary.path, f"merge {number}, {merge[:50]!r}, is no pair of tokens")
        pairs.append((left, right))
    return pairs


def _add_named(rust: tokenizers.Tokenizer, vocabulary: GgufVocabulary) -> None:
    """Make control tokens of those with a role: old files give no types."""
    from tokenizers import AddedToken

    texts = [vocabulary.tokens[at] for at in vocabulary.named.values()]
    known = [text for text in texts if rust.token_to_id(text) is not None]
    rust.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in known])


def _let_swallow(rust: tokenizers.Tokenizer) -> None:
    """Add the control tokens once more, with the white space behind them; new ones replace old."""
    from tokenizers import AddedToken

    tokens = [token for token in rust.get_added_tokens_decoder().values() if token.special]
    for token in tokens:
        if token.content not in _SWALLOW_NOTHING:
            wider = AddedToken(token.content, special=True, normalized=False, rstrip=True)
            rust.add_special_tokens([wider])


def _add_frame(rust: tokenizers.Tokenizer, vocabulary: GgufVocabulary) -> None:
    from tokenizers import processors

    names = zip(("bos_token", "eos_token"), vocabulary.frame, strict=True)
    framing = [name for name, wanted in names if wanted and name in vocabulary.named]
    if not framing:
        return
    texts = {name: vocabulary.tokens[vocabulary.named[name]] for name in framing}
    single = [texts["bos_token"]] if "bos_token" in texts else []
    single.append("$A")
    if "eos_token" in texts:
        single.append(texts["eos_token"])
    byte_level = processors.ByteLevel(trim_offsets=False)
    framed = processors.TemplateProcessing(
        single=single,
        pair=[*single, "$B"],
        special_tokens=[(texts[name], vocabulary.named[name]) for name in framing],
    )
    rust.post_processor = processors.Sequence([byte_level, framed])
