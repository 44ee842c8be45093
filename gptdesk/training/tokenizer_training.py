"""Trains a byte-level BPE tokenizer and writes it as `transformers`, llama.cpp and gptdesk read it.

Text is split before merging by one of three patterns that other software knows by name: those of
GPT-2, Llama 3 and Qwen2. Bytes are the alphabet, so that any text can be written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gptdesk import atomic
from gptdesk.errors import OptionError, TrainingError
from gptdesk.text.task_template import STYLES
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.config import Pattern, TokenizerSettings
from gptdesk.training.shards import unwritable

if TYPE_CHECKING:
    import tokenizers

END = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
ANSWER = "<|answer|>"
RESERVED = 8
LANGUAGES = ("en", "zh", "de", "fr")
"""Languages that gptdesk's tasks offer: each has a control token in every tokenizer made here."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
PATTERNS: dict[Pattern, str] = {
    "llama3": _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _REST,
    "qwen2": _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _REST,
    "gpt2": "",  # built into the byte-level step
}


def special_tokens(settings: TokenizerSettings, languages: Iterable[str]) -> list[str]:
    """The control tokens in the order of their ids.

    The end of text, the turns of a conversation, those of gptdesk's tasks and languages, the
    ones that the person names, and a few for later trainings.
    """
    tasks = ["summarize", "translate", "rewrite", "classify", "headline", "paragraph", "points"]
    names = [
        END,
        TURN_START,
        TURN_END,
        *(f"<|{name}|>" for name in tasks),
        ANSWER,
        *(f"<|{language}|>" for language in (*LANGUAGES, *languages)),
        *(f"<|{style}|>" for style in STYLES),
        *settings.special_tokens,
        *(f"<|reserved_{number}|>" for number in range(RESERVED)),
    ]
    return list(dict.fromkeys(names))


def train_tokenizer(
    texts: Iterator[str], pattern: Pattern, vocab_size: int, specials: Sequence[str]
) -> tokenizers.Tokenizer:
    """Train a tokenizer of at most `vocab_size` ids; less text gives fewer.

    Raises:
        OptionError: the vocabulary has no room for the bytes and the special tokens.
    """
    from tokenizers import Tokenizer as RustTokenizer
    from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

    least = 256 + len(specials)
    if vocab_size < least:
        raise OptionError(
            f"[tokenizer] vocab_size = {vocab_size} has no room for 256 bytes and "
            f"{len(specials)} special tokens.",
            f"Set it to {least} or more; 8192 suits a small model.",
        )
    tokenizer = RustTokenizer(models.BPE())
    if pattern == "qwen2":  # as the original has it; the others leave text as it is
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _pre_tokenizer(pattern)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def sample_share(chars: Sequence[int], budget: int) -> list[float]:
    """The share of each source's text to train on, so that small sources count like large ones.

    The budget is split evenly; what a source has less than its part goes to the others.
    """
    shares = [0.0] * len(chars)
    left, waiting = budget, sorted((count, at) for at, count in enumerate(chars) if count)
    while waiting:
        count, at = waiting.pop(0)
        part = min(count, left // (len(waiting) + 1))
        shares[at] = part / count
        left -= part
    return shares


def write_tokenizer(tokenizer: tokenizers.Tokenizer, folder: Path, context_length: int) -> None:
    """Write tokenizer.json and tokenizer_config.json.

    Raises:
        TrainingError: the folder cannot be written or the disk is full.
    """
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "model_max_length": context_length,
        "clean_up_tokenization_spaces": False,
        "chat_template": CHAT_TEMPLATE,
    }
    text = json.dumps(settings, indent=2, ensure_ascii=False) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        atomic.write_bytes(folder / "tokenizer_config.json", text.encode("utf-8"))
        atomic.write_bytes(folder / "tokenizer.json", tokenizer.to_str(pretty=True).encode("utf-8"))
    except OSError as error:
        raise unwritable(folder, error) from error


class Encoder:
    """Turns documents into ids for shards.

    Args:
        folder: with a tokenizer.json.

    Attributes:
        vocab_size: the largest id plus one.
        end_id: ends a document.
        hash: changes with the tokenizer.

    Raises:
        TokenizerError: the tokenizer is broken.
        TrainingError: it has no token that ends a text.
    """

    def __init__(self, folder: Path) -> None:
        import tokenizers

        checked = Tokenizer.from_folder(folder)
        data = (folder / "tokenizer.json").read_bytes()
        self._rust = tokenizers.Tokenizer.from_str(data.decode("utf-8"))
        self._rust.no_truncation()
        self._rust.no_padding()
        # Markup in a text is text: no document may forge a control token.
        self._rust.encode_special_tokens = True
        self.vocab_size = checked.vocab_size
        self.hash = hashlib.sha256(data).hexdigest()
        end = self._rust.token_to_id(END)
        ends = checked.end_ids if end is None else {end}
        if not ends:
            raise TrainingError(
                f"The tokenizer in {folder} names no token that ends a text.",
                "Use the tokenizer of another model, or let gptdesk train one.",
            )
        self.end_id = min(ends)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text; the library uses all cores."""
        encoded = self._rust.encode_batch_fast(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encoded]


def _pre_tokenizer(pattern: Pattern) -> Any:
    from tokenizers import Regex, pre_tokenizers

    if pattern == "gpt2":
        return pre_tokenizers.ByteLevel(add_prefix_space=False)
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
