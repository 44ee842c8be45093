"""Corpora of the micro-model: reading, the tokenizer, examples and their packing into rows.

Prose is cut into pieces that fit the context; task rows follow the templates in `gptdesk.json`.
Every example begins with `<|endoftext|>`, so that a prompt at run time looks like training text.
"""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"
ANSWER = "<|answer|>"
SPECIAL_TOKENS = [
    END,
    "<|summarize|>",
    "<|translate|>",
    "<|headline|>",
    "<|paragraph|>",
    ANSWER,
    "<|en|>",
    "<|zh|>",
    "<|de|>",
    "<|fr|>",
    *(f"<|reserved_{number}|>" for number in range(12)),
]
# The split of the Qwen2 tokenizers: digits stand alone, so numbers can be copied digit by digit.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# What the loss does with a token when it is the one to be predicted.
IGNORED, PROMPT, SCORED = 0, 1, 2

# Rows from here have no licence that allows the weights to be shipped.
EXCLUDED_SOURCES = {"phpmyadmin-docs"}

# Characters of a piece: about 480 tokens of this tokenizer.
PIECE_CHARACTERS = {"en": 1600, "zh": 520}
# Characters kept of a text to be summarized.
DOCUMENT_CHARACTERS = {"en": 1400, "zh": 460}


@dataclass(frozen=True)
class Prose:
    """One prose corpus and how much of it is read, in millions of characters."""

    name: str
    language: str
    millions: float


@dataclass(frozen=True)
class Summaries:
    """One corpus of documents with summaries: the form they take and how many rows are read."""

    name: str
    language: str
    form: str
    rows: int


PROSE = [
    Prose("prose_en_books", "en", 24.0),
    Prose("prose_en_modern", "en", 12.0),
    Prose("prose_en_wiki", "en", 12.0),
    Prose("prose_zh_wiki", "zh", 7.0),
    Prose("prose_zh_tech", "zh", 5.0),
    Prose("prose_zh_classics_modern", "zh", 5.0),
]
SUMMARIES = [
    Summaries("sum_en_arxiv_title", "en", "headline", 9_000),
    Summaries("sum_en_wiki_lead", "en", "paragraph", 6_000),
    Summaries("sum_en_web", "en", "paragraph", 3_000),
    Summaries("sum_en_scitldr", "en", "paragraph", 2_000),
    Summaries("sum_zh_arxiv_tldr", "zh", "paragraph", 8_000),
    Summaries("sum_zh_wiki_lead", "zh", "paragraph", 6_000),
    Summaries("sum_zh_web", "zh", "paragraph", 4_500),
]
# The first line of these documents is their title: rows "body -> title".
TITLED = [Prose("prose_en_modern", "en", 7.0), Prose("prose_zh_tech", "zh", 2.5)]
TRANSLATIONS = "mt_en-zh"


@dataclass(frozen=True)
class Example:
    """Token ids and, for each, IGNORED, PROMPT or SCORED."""

    ids: list[int]
    kinds: list[int]


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of an xz-compressed UTF-8 file without their line ends."""
    with lzma.open(path, "rt", encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield line.rstrip("\n")


def read_documents(path: Path) -> Iterator[list[str]]:
    """Yield each document of a prose file as its paragraphs, the title first."""
    paragraphs: list[str] = []
    for line in read_lines(path):
        if line == END:
            yield paragraphs
            paragraphs = []
        elif line.strip():
            paragraphs.append(line)
    if paragraphs:
        yield paragraphs


def read_pairs(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a JSON Lines file that may be used for shipped weights."""
    for line in read_lines(path):
        row = json.loads(line)
        if row.get("source") not in EXCLUDED_SOURCES:
            yield row


def some_documents(data: Path, corpus: Prose, split: str, rng: random.Random) -> list[list[str]]:
    """Documents of one corpus in random order, up to its share of characters."""
    documents = list(read_documents(data / f"{corpus.name}.{split}.txt.xz"))
    # A book is as long as a thousand articles: cut it, or the share would be a handful of books.
    parts = [document[i : i + 60] for document in documents for i in range(0, len(document), 60)]
    rng.shuffle(parts)
    chosen, budget = [], corpus.millions * 1e6
    for part in parts:
        if budget <= 0:
            break
        chosen.append(part)
        budget -= sum(map(len, part))
    return chosen


def train_tokenizer(data: Path, vocab_size: int, seed: int) -> Tokenizer:
    """Byte-level BPE over a sample balanced between English and Chinese."""
    rng = random.Random(seed)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_tokenizer_sample(data, rng), trainer)
    return tokenizer


def _tokenizer_sample(data: Path, rng: random.Random) -> Iterator[str]:
    for corpus in PROSE:
        sample = Prose(corpus.name, corpus.language, 4.0 if corpus.language == "en" else 2.5)
        for paragraphs in some_documents(data, sample, "train", rng):
            yield "\n".join(paragraphs)
    for number, row in enumerate(read_pairs(data / f"{TRANSLATIONS}.train.jsonl.xz")):
        if number % 8 == 0:
            yield row["src"]
            yield row["tgt"]


class Encoder:
    """Turns text into examples of at most `context` tokens."""

    def __init__(self, tokenizer: Tokenizer, context: int) -> None:
        self.tokenizer = tokenizer
        self.context = context
        self.end = tokenizer.token_to_id(END)
        # Markup in a text is text: only the templates may produce special tokens.
        tokenizer.encode_special_tokens = True

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, special tokens off."""
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(list(texts))]

    def prose(self, pieces: Sequence[tuple[str, bool]]) -> Iterator[Example]:
        """Examples of (piece, whether a document ends there)."""
        for ids, (_, ends) in zip(self.encode([text for text, _ in pieces]), pieces, strict=True):
            tail = [self.end] if ends and len(ids) < self.context - 1 else []
            ids = [self.end, *ids[: self.context - 1], *tail]
            yield Example(ids, [IGNORED] + [SCORED] * (len(ids) - 1))

    def tasks(self, rows: Sequence[tuple[list[str], str, str]]) -> Iterator[Example]:
        """Examples of (control tokens, text, answer); rows beyond the context are left out."""
        texts = self.encode([text for _, text, _ in rows])
        answers = self.encode([answer for _, _, answer in rows])
        for (names, _, _), text, answer in zip(rows, texts, answers, strict=True):
            control = [self.end, *map(self.tokenizer.token_to_id, names)]
            ids = [*control, *text, self.tokenizer.token_to_id(ANSWER), *answer, self.end]
            kinds = [IGNORED] * len(control) + [PROMPT] * len(text) + [IGNORED]
            if len(ids) <= self.context + 1:
                yield Example(ids, kinds + [SCORED] * (len(answer) + 1))


def pieces_of(
    paragraphs: Sequence[str], language: str, rng: random.Random
) -> Iterator[tuple[str, bool]]:
    """Cut a document between paragraphs into (piece, whether it is the last one)."""
    limit = PIECE_CHARACTERS[language]
    # Writers separate paragraphs in both ways.
    separator = rng.choice(["\n", "\n\n"])
    piece = ""
    for paragraph in paragraphs:
        if piece and len(piece) + len(paragraph) > limit:
            yield piece, False
            piece = ""
        piece = piece + separator + paragraph if piece else paragraph
    if piece:
        yield piece, True


def prose_examples(
    data: Path, encoder: Encoder, language: str, split: str, rng: random.Random
) -> Iterator[Example]:
    """Examples of all prose in one language."""
    for corpus in PROSE:
        if corpus.language == language:
            for paragraphs in some_documents(data, corpus, split, rng):
                # Half of the documents lose their title, which a writer's text often lacks.
                body = paragraphs[1:] if len(paragraphs) > 1 and rng.random() < 0.5 else paragraphs
                yield from encoder.prose(list(pieces_of(body, language, rng)))


def translation_rows(
    data: Path, split: str, rng: random.Random
) -> Iterator[tuple[list[str], str, str]]:
    """Rows in both directions; some are joined with the row before, for texts of two sentences."""
    previous: dict[str, dict[str, str]] = {}
    for row in read_pairs(data / f"{TRANSLATIONS}.{split}.jsonl.xz"):
        english, chinese = row["src"], row["tgt"]
        before = previous.get(row["source"])
        if before and rng.random() < 0.15 and len(english) + len(before["src"]) < 600:
            english, chinese = f"{before['src']} {english}", before["tgt"] + chinese
        previous[row["source"]] = row
        yield ["<|translate|>", "<|en|>", "<|zh|>"], english, chinese
        yield ["<|translate|>", "<|zh|>", "<|en|>"], chinese, english


def clip(text: str, characters: int) -> str:
    """The beginning of `text`, cut at the last end of a sentence where there is one."""
    if len(text) <= characters:
        return text
    head = text[:characters]
    cut = max(head.rfind(mark) for mark in (". ", "。", "\n", "！", "？"))
    return head[: cut + 1].rstrip() if cut > characters // 2 else head


def summary_rows(
    data: Path, split: str, rng: random.Random
) -> Iterator[tuple[list[str], str, str]]:
    """Rows of every summary corpus, and titles as headlines."""
    for corpus in SUMMARIES:
        pairs = list(read_pairs(data / f"{corpus.name}.{split}.jsonl.xz"))
        rng.shuffle(pairs)
        names = ["<|summarize|>", f"<|{corpus.form}|>", f"<|{corpus.language}|>"]
        for row in pairs[: corpus.rows]:
            document = clip(row["document"], DOCUMENT_CHARACTERS[corpus.language])
            yield names, document, row["summary"].strip()
    for titled in TITLED:
        names = ["<|summarize|>", "<|headline|>", f"<|{titled.language}|>"]
        for title, *body in some_documents(data, titled, split, rng):
            text = clip("\n".join(body), DOCUMENT_CHARACTERS[titled.language])
            if len(title) < 90 and len(text) > 3 * len(title) and title[-1] not in ".。：:":
                yield names, text, title


def pack(examples: Sequence[Example], length: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Lay whole examples side by side into rows of `length` tokens; both arrays [rows, length].

    First fit over a window of open rows: an answer never stands apart from its text, and in
    random order a few per cent of padding (IGNORED) remain.
    """
    rows: list[list[Example]] = []
    sizes: list[int] = []
    open_rows: list[int] = []
    for example in examples:
        size = len(example.ids)
        place = next((row for row in open_rows if sizes[row] + size <= length), None)
        if place is None:
            place = len(rows)
            rows.append([])
            sizes.append(0)
            open_rows = [*open_rows[-63:], place]
        rows[place].append(example)
        sizes[place] += size
    tokens = np.zeros((len(rows), length), dtype=np.uint16)
    kinds = np.full((len(rows), length), IGNORED, dtype=np.uint8)
    for index, row in enumerate(rows):
        used = sizes[index]
        tokens[index, :used] = [token for example in row for token in example.ids]
        kinds[index, :used] = [kind for example in row for kind in example.kinds]
    return tokens, kinds


def join(examples: Sequence[Example], length: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Lay prose end to end and cut it into full rows of `length` tokens; both [rows, length]."""
    tokens = np.array([token for example in examples for token in example.ids], dtype=np.uint16)
    kinds = np.array([kind for example in examples for kind in example.kinds], dtype=np.uint8)
    rows = len(tokens) // length
    cut = slice(rows * length)
    return tokens[cut].reshape(rows, length), kinds[cut].reshape(rows, length)


def build_groups(
    data: Path, tokenizer: Tokenizer, context: int, seed: int
) -> Iterator[tuple[str, NDArray[np.uint16], NDArray[np.uint8]]]:
    """Yield the packed training rows of each group: prose_en, prose_zh, translate, summarize."""
    rng = random.Random(seed)
    encoder = Encoder(tokenizer, context)
    for language in ("en", "zh"):
        examples = list(prose_examples(data, encoder, language, "train", rng))
        rng.shuffle(examples)
        yield f"prose_{language}", *join(examples, context + 1)
    for name, rows in (("translate", translation_rows), ("summarize", summary_rows)):
        examples = list(encoder.tasks(list(rows(data, "train", rng))))
        rng.shuffle(examples)
        yield name, *pack(examples, context + 1)
