"""Text to token ids and back: the model folder's own tokenizer, with control tokens fenced off."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk.errors import TokenizerError
from gptdesk.text import tokenizer_files
from gptdesk.text.chat_template import ChatTemplate, Message
from gptdesk.text.chat_template_files import DEFAULT, TOOL_USE
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.stream import TextStream
from gptdesk.text.tokenizer_files import TokenizerFiles
from gptdesk.text.tokenizer_reading import rust_border

if TYPE_CHECKING:
    import tokenizers

_IDEOGRAPH = (
    r"[\u2e80-\u303f\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
    r"\U00020000-\U0002fa1f]"
)
_BESIDE_IDEOGRAPHS = re.compile(f"(?<={_IDEOGRAPH}) | (?={_IDEOGRAPH})")


class Tokenizer:
    """One model's tokenizer. May be used by several threads at once.

    Attributes:
        vocab_size: the largest id plus one.
        end_ids: ids that end a text; empty when the model names none.
        prefix_ids: ids that it puts in front of every text.
        special_ids: ids of control tokens; decoding leaves their text out.
        chat_template: the model's Jinja template for plain conversations, or None.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        self._files = files
        self._rust: tokenizers.Tokenizer = files.rust
        self._lock = threading.Lock()  # `encode_special_tokens` is a state of the Rust object
        added = self._rust.get_added_tokens_decoder()
        self.special_ids = frozenset(i for i, token in added.items() if token.special)
        self.vocab_size = files.vocab_size
        self.end_ids: frozenset[int] = files.end_ids
        self.chat_template: str | None = files.chat_templates.get(DEFAULT)
        unknown = _unknown_text(files.special_texts)
        self._controls = {
            i: token.content
            for i, token in added.items()
            if (token.special or _looks_like_markup(token.content)) and token.content != unknown
        }
        self._spaces_ideographs = _spaces_ideographs(self._rust)
        self.prefix_ids: list[int] = self._find_prefix_ids()

    @classmethod
    def from_folder(cls, root: Path, config_data: Mapping[str, Any] | None = None) -> Tokenizer:
        """Read the tokenizer of a model folder, in whichever files its maker wrote it.

        Args:
            root: the folder.
            config_data: the parsed config.json, for the vocabulary size and the end ids.

        Raises:
            TokenizerError: a file is missing, broken or too large, or the tokenizer has ids that
                the model's embedding lacks.
        """
        return cls(tokenizer_files.read(root, config_data or {}))

    @classmethod
    def from_parts(
        cls,
        path: Path,
        rust: tokenizers.Tokenizer,
        end_ids: Iterable[int] = (),
        special_texts: Mapping[str, str] | None = None,
        chat_template: str | None = None,
    ) -> Tokenizer:
        """A tokenizer that was not read from a folder of its own files.

        Args:
            path: the file it comes from, for messages.
            rust: the tokenizer; this object takes it over.
            end_ids: ids that end a text; those without a token are left out.
            special_texts: "bos_token" and the like with their text, as chat templates see them.
            chat_template: the Jinja text, or None.
        """
        rust.no_truncation()
        rust.no_padding()
        size = tokenizer_files.vocab_size(rust)
        ends = frozenset(i for i in end_ids if 0 <= i < size)
        templates = {} if chat_template is None else {DEFAULT: chat_template}
        return cls(TokenizerFiles(path, rust, size, ends, dict(special_texts or {}), templates))

    def encode(self, text: str) -> list[int]:
        """Ids of `text` as the model's maker encodes it: special tokens in it count as such."""
        return self._encode(text, control=True, frame=True).ids

    def encode_plain(self, text: str) -> list[int]:
        """Ids of text that somebody wrote: nothing in it acts as a control token."""
        encoding = self._encode(text, control=False)
        if self._controls.keys().isdisjoint(encoding.ids):
            return encoding.ids
        # Some vocabularies hold their control tokens as ordinary entries too.
        return [i for part in self._cut_in_controls(text) for i in self._encode(part).ids]

    def encode_prompt(self, prompt: Prompt) -> list[int]:
        """Ids of a prompt: control tokens come from its control pieces alone.

        A beginning-of-text token is put in front where the tokenizer does so by itself, unless
        the prompt starts with it. For pieces without forged control tokens the ids are those
        of the whole text.
        """
        text = "".join(piece.text for piece in prompt)
        encoding = self._encode(text, control=True)
        ids = encoding.ids
        if self._forged(encoding, prompt, text):
            ids = [i for piece in prompt for i in self._encode_piece(piece)]
        starts_right = ids[: len(self.prefix_ids)] == self.prefix_ids
        return ids if starts_right else self.prefix_ids + ids

    def count(self, text: str) -> int:
        """Number of tokens of plain text."""
        return len(self._encode(text).ids)

    def token_starts(self, text: str) -> list[int]:
        """Where in plain `text` each of its tokens starts, in characters, ascending."""
        return [start for start, _ in self._encode(text).offsets]

    def decode(self, ids: Sequence[int], skip_special: bool = True) -> str:
        """Text of `ids`; an id without a token has none. U+FFFD stands for broken UTF-8.

        BERT's word pieces come back without the spaces that encoding put beside ideographs; this
        is where the text differs from that of `transformers`.
        """
        with rust_border(self._files.path):
            known = [int(i) for i in ids if 0 <= i < self.vocab_size]
            text = self._rust.decode(known, skip_special_tokens=skip_special)
        return _BESIDE_IDEOGRAPHS.sub("", text) if self._spaces_ideographs else text

    def stream(self, before: Sequence[int] = ()) -> TextStream:
        """Decode token by token what follows `before`: the ids in front decide about spaces."""
        return TextStream(self.decode, before)

    def apply_chat_template(
        self, messages: Sequence[Message], add_generation_prompt: bool = True, **variables: Any
    ) -> str:
        """The conversation as the text that the model was trained on.

        Args:
            messages: at least one; {"role": ..., "content": ...} each.
            add_generation_prompt: whether to open the answer.
            variables: what else the template may use, such as `enable_thinking` or `tools`.

        Raises:
            TokenizerError: there is no template, or it fails, runs too long or writes too much.
        """
        template = self._template
        if variables.get("tools") is not None and TOOL_USE in self._files.chat_templates:
            template = self._named_template(TOOL_USE)
        return template.render(messages, add_generation_prompt, variables)

    def chat_prompt(self, messages: Sequence[Message], **variables: Any) -> Prompt:
        """The same as pieces, in which the contents of the messages hold no control tokens.

        Raises:
            TokenizerError: as `apply_chat_template`.
        """
        return self._template.prompt(messages, variables)

    @cached_property
    def _template(self) -> ChatTemplate:
        return self._named_template(DEFAULT)

    def _named_template(self, name: str) -> ChatTemplate:
        source = self._files.chat_templates.get(name)
        if source is None:
            raise TokenizerError(
                f"The model in {self._files.path.parent} has no chat template.",
                "Use a model that was trained for conversations.",
            )
        return ChatTemplate(source, self._files.special_texts, self._files.path)

    def _encode(
        self, text: str, *, control: bool = False, frame: bool = False
    ) -> tokenizers.Encoding:
        with rust_border(self._files.path), self._lock:
            self._rust.encode_special_tokens = not control
            return self._rust.encode(_well_formed(text), add_special_tokens=frame)

    def _encode_piece(self, piece: Piece) -> list[int]:
        if piece.control:
            return self._encode(piece.text, control=True).ids
        return self.encode_plain(piece.text)

    def _forged(self, encoding: tokenizers.Encoding, prompt: Prompt, text: str) -> bool:
        """Whether a control token came from characters outside the control pieces."""
        trusted = bytearray()
        for piece in prompt:
            trusted += bytes([piece.control]) * len(piece.text)
        for token, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
            if token not in self._controls:
                continue
            # A token may swallow white space around it, and that may be anybody's.
            if any(not trusted[at] and not text[at].isspace() for at in range(start, end)):
                return True
        return False

    def _cut_in_controls(self, text: str) -> list[str]:
        """Parts of `text`, cut inside every control token written in it."""
        cuts = {0, len(text)}
        for content in self._controls.values():
            at = text.find(content)
            while at >= 0:
                cuts.add(at + 1)
                at = text.find(content, at + 1)
        borders = sorted(cuts)
        return [text[a:b] for a, b in itertools.pairwise(borders)]

    def _find_prefix_ids(self) -> list[int]:
        """Ids that the tokenizer puts in front of any text."""
        with rust_border(self._files.path):
            framed = self._encode("a", frame=True).ids
            bare = self._encode("a").ids
        places = range(len(framed) - len(bare) + 1)
        start = next((at for at in places if framed[at : at + len(bare)] == bare), 0)
        return framed[:start]


def _spaces_ideographs(rust: tokenizers.Tokenizer) -> bool:
    """Whether encoding makes a word of every ideograph, as BERT's tokenizer does."""
    from tokenizers import normalizers

    normalizer = rust.normalizer
    return isinstance(normalizer, normalizers.BertNormalizer) and normalizer.handle_chinese_chars


def _unknown_text(special_texts: Mapping[str, str]) -> str | None:
    """The token for unknown words, unless it controls something as well, as GPT-2's does."""
    others = {text for name, text in special_texts.items() if name != "unk_token"}
    unknown = special_texts.get("unk_token")
    return None if unknown in others else unknown


def _looks_like_markup(content: str) -> bool:
    """Whether an added token is markup such as <|fim_prefix|> rather than text such as spaces."""
    return len(content) > 2 and content[0] in "<[" and content[-1] in ">]"


def _well_formed(text: str) -> str:
    """`text` with lone surrogates replaced; a window may hand them over, UTF-8 has none."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
