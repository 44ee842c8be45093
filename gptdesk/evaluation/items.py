"""Reads what a model is measured on: prose, and JSON Lines of questions with their answers."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from gptdesk.errors import DocumentError
from gptdesk.text.task_template import PROOFREAD, STYLES
from gptdesk.training.labelling import is_label
from gptdesk.training.sources import PACKED_ENDINGS, open_unpacked, unpacking_errors

Kind = Literal["prose", "summaries", "translations", "rewrites", "labels"]

_HASH_BYTES = 1 << 20
_MAX_PROSE_BYTES = 1 << 30
_SHOWN_KEYS = 6
_DOCUMENT_END = re.compile(r"(?:(?:^|\r?\n)<\|endoftext\|>(?=\r?\n|\Z))+(?:\r?\n)?")


@dataclass(frozen=True, slots=True)
class Prose:
    """A text to predict."""

    text: str


@dataclass(frozen=True, slots=True)
class SummaryItem:
    """A document and one or several summaries that people wrote of it."""

    text: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TranslationItem:
    """A text, its translation, and the codes of both languages."""

    text: str
    references: tuple[str, ...]
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class RewriteItem:
    """A text, what people made of it, and in what style: "proofread" or "simplify"."""

    text: str
    rewritten: str
    style: str


@dataclass(frozen=True, slots=True)
class LabelItem:
    """A text and the class that people put it in."""

    text: str
    label: str


Item = Prose | SummaryItem | TranslationItem | RewriteItem | LabelItem


@dataclass(frozen=True, slots=True)
class ItemFile:
    """The items of one file.

    Attributes:
        path: where they come from.
        sha256: of the file's bytes.
        kind: of all of them.
        items: those that were chosen, in the file's order.
        total: how many the file holds.
    """

    path: Path
    sha256: str
    kind: Kind
    items: tuple[Item, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which lines of a file are taken, and how.

    Attributes:
        where: of .jsonl only lines whose keys have these values.
        limit: only so many, from the start; 0 for all. Of prose, documents.
        sample: of .jsonl only so many, drawn with `seed`; 0 for all.
        seed: of the draw.
        reverse: translations are asked for from the target to the source.
    """

    where: Mapping[str, str] = field(default_factory=dict)
    limit: int = 0
    sample: int = 0
    seed: int = 0
    reverse: bool = False


EVERYTHING = Selection()


def read_items(path: Path, selection: Selection = EVERYTHING) -> ItemFile:
    """The items of a .txt, .md or .jsonl file, packed as .xz, .gz or .zst or not.

    Args:
        path: the file.
        selection: which of its lines.

    Raises:
        DocumentError: the file cannot be read, is empty, or a line lacks keys; names the line.
        TrainingError: it is packed as .zst, and the package for that is not installed.
    """
    name = path.name.lower()
    for ending in PACKED_ENDINGS:
        name = name.removesuffix(ending)
    unreadable: tuple[type[Exception], ...] = (*unpacking_errors(), UnicodeDecodeError)
    try:
        digest = _sha256(path)
        if not name.endswith(".jsonl"):
            documents = tuple(_read_prose(path))
            chosen_documents = documents[: selection.limit or None]
            return ItemFile(path, digest, "prose", chosen_documents, len(documents))
        items = list(_read_lines(path, selection.where))
    except unreadable as error:
        raise DocumentError(
            f"{path} cannot be read.", "It must be UTF-8 text, packed or not.", str(error)
        ) from error
    if not items:
        if selection.where:
            asked = ", ".join(f"{key} = {value}" for key, value in selection.where.items())
            raise DocumentError(f"{path} holds no line with {asked}.", "Correct the condition.")
        raise DocumentError(f"{path} holds no line.", "Give a file with at least one.")
    kinds = {_KINDS[type(item)] for item in items}
    if len(kinds) > 1:
        raise DocumentError(
            f"{path} mixes {' and '.join(sorted(kinds))}.", "Put each kind into a file of its own."
        )
    chosen = items[: selection.limit or None]
    if 0 < selection.sample < len(chosen):
        draw = random.Random(selection.seed)
        picked = sorted(draw.sample(range(len(chosen)), selection.sample))
        chosen = [chosen[at] for at in picked]
    if selection.reverse:
        chosen = [_reversed(item) if isinstance(item, TranslationItem) else item for item in chosen]
    return ItemFile(path, digest, kinds.pop(), tuple(chosen), len(items))


_KINDS: Mapping[type, Kind] = {
    Prose: "prose",
    SummaryItem: "summaries",
    TranslationItem: "translations",
    RewriteItem: "rewrites",
    LabelItem: "labels",
}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _read_prose(path: Path) -> Iterator[Prose]:
    """The documents of a file, which lines `<|endoftext|>` divide, as in text to train on."""
    with open_unpacked(path) as file:
        data = file.read(_MAX_PROSE_BYTES + 1)
    if len(data) > _MAX_PROSE_BYTES:
        raise DocumentError(f"{path} is larger than 1 GB.", "Measure on a part of it.")
    text = data.decode("utf-8-sig")
    documents = [part for part in _DOCUMENT_END.split(text) if part.strip()]
    if not documents:
        raise DocumentError(f"{path} holds no text.", "Give a file with text in it.")
    yield from map(Prose, documents)


def _reversed(item: TranslationItem) -> TranslationItem:
    return TranslationItem(item.references[0], (item.text,), item.target, item.source)


def _read_lines(path: Path, where: Mapping[str, str]) -> Iterator[Item]:
    with open_unpacked(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                place = f"{path}, line {number}"
                row = _row(line, place)
                if all(str(row.get(key)) == value for key, value in where.items()):
                    yield _item(row, place)


def _row(line: bytes, place: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(
            f"{place} is not JSON.", "Each line must be one JSON object.", str(error)
        ) from error
    if not isinstance(row, dict):
        raise DocumentError(f"{place} is not a JSON object.", "Each line must be one.")
    return row


def _item(row: Mapping[str, Any], place: str) -> Item:
    for keys, make in _MAKERS:
        if all(key in row for key in keys):
            return make(row, place)
    found = ", ".join(list(row)[:_SHOWN_KEYS]) or "none"
    raise DocumentError(
        f"{place} has the keys {found}.",
        "It needs document and summary, or src, tgt, src_lang and tgt_lang, or text and "
        "rewritten, or text and label, or text.",
    )


def _text(row: Mapping[str, Any], key: str, place: str) -> str:
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise DocumentError(
            f"{place}: {key} must be a text that is not empty.", "Correct the line."
        )
    return value.strip()


def _texts(row: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    values = row[key] if isinstance(row[key], list) else [row[key]]
    if not values or not all(isinstance(value, str) and value.strip() for value in values):
        raise DocumentError(
            f"{place}: {key} must be a text, or a list of them.", "Correct the line."
        )
    return tuple(value.strip() for value in values)


def _summary(key: str) -> Callable[[Mapping[str, Any], str], Item]:
    def make(row: Mapping[str, Any], place: str) -> Item:
        return SummaryItem(_text(row, "document", place), _texts(row, key, place))

    return make


def _translation(row: Mapping[str, Any], place: str) -> Item:
    source, target = (_text(row, key, place) for key in ("src_lang", "tgt_lang"))
    return TranslationItem(_text(row, "src", place), _texts(row, "tgt", place), source, target)


def _rewriting(row: Mapping[str, Any], place: str) -> Item:
    style = row.get("style") or PROOFREAD
    if style not in STYLES:
        raise DocumentError(f"{place}: style must be {' or '.join(STYLES)}.", "Correct the line.")
    return RewriteItem(_text(row, "text", place), _text(row, "rewritten", place), style)


def _label(row: Mapping[str, Any], place: str) -> Item:
    label = row["label"]
    if not is_label(label):
        raise DocumentError(
            f"{place}: label must be a text or a whole number.", "Correct the line."
        )
    return LabelItem(_text(row, "text", place), str(label))


def _prose(row: Mapping[str, Any], place: str) -> Item:
    return Prose(_text(row, "text", place))


_MAKERS: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any], str], Item]], ...] = (
    (("document", "references"), _summary("references")),
    (("document", "refs"), _summary("refs")),
    (("document", "summaries"), _summary("summaries")),
    (("document", "summary"), _summary("summary")),
    (("src", "tgt", "src_lang", "tgt_lang"), _translation),
    (("text", "rewritten"), _rewriting),
    (("text", "label"), _label),
    (("text",), _prose),
)
