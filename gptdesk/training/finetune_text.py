"""The text of a fine-tune: what is learnt from, and what is held out to judge the result by.

    many documents     a share of them is held out, chosen by their hashes
    few                the last part of each, from a blank line or the end of a line on; one of
                       them, if all are too short for that
    lines of JSON      a share of the lines
    files named        these, whole

Two passes over the same files give the same parts in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.errors import DocumentError, TrainingError
from gptdesk.training.collect import Collector, Split, document_hash, json_rows
from gptdesk.training.config import DataSettings, SourceSettings
from gptdesk.training.finetune_settings import FinetuneSettings
from gptdesk.training.instruction import KINDS, Example, ExampleReader
from gptdesk.training.sources import (
    Source,
    TextFile,
    find_sources,
    fingerprint,
    unpacking_errors,
)
from gptdesk.training.work_folder import digest_of

MANY_DOCUMENTS = 20
"""From so many on whole documents are held out, fewer lose their ends."""

_MANY_LINES = 10
_MAX_CHARS = 4_000_000
_SMALLEST_END = 200  # characters that are worth measuring
_LARGEST_END = 1.5  # times the share, which is met on average
_LEAST_DOCUMENTS = 3  # of which one is held out, where all are too short to be cut


@dataclass(frozen=True, slots=True)
class _Part:
    """Files of one kind, those held out first."""

    files: tuple[TextFile, ...]
    held_files: int

    def sources(self) -> tuple[Source, ...]:
        held, learnt = self.files[: self.held_files], self.files[self.held_files :]
        return (Source("held out", held), Source("learnt", learnt))


class TuningText:
    """Documents and questions with answers, each learnt from or held out.

    Args:
        settings: where they are, and how much is held out.
        cancel: polled while everything is read once.

    Attributes:
        origin: fingerprint of the files and of what divides them.
        skipped: files and lines that could not be read, with the reason.
        documents_count, lines_count: how many there are, held out or not.

    Raises:
        TrainingError: there is no such file, or not a single document or line in them.
        Cancelled: the person stopped it.
    """

    def __init__(self, settings: FinetuneSettings, cancel: CancelFlag | None = None) -> None:
        self._fraction = settings.validation_fraction
        self._named = bool(settings.validation)
        held, learnt = _find(settings.validation, settings), _find(settings.data, settings)
        known = {file.path.resolve() for file in held}
        learnt = [file for file in learnt if file.path.resolve() not in known]
        self._prose = _part(held, learnt, tasks=False)
        self._lines = _part(held, learnt, tasks=True)
        self._settings = DataSettings(
            train=settings.data, max_chars=_MAX_CHARS, undecodable="skip", min_chars=2
        )
        facts = [fingerprint(part.sources()) for part in (self._prose, self._lines)]
        asked = repr(settings.labelling)
        self.origin = digest_of(facts, self._named, self._fraction, asked)
        self._survey(cancel)

    def documents(self, split: Split) -> Iterator[str]:
        """Yield the prose of one side."""
        wanted = split == "validation"
        collector = Collector(self._prose.sources(), self._settings)
        for source, value, text in collector.documents():
            if self._named or self._holds_whole:
                held = source == 0 if self._named else value in self._held_documents
                if held == wanted:
                    yield text
                continue
            learnt, end = cut_end(text, self._fraction)
            part = end if wanted else learnt
            if part:
                yield part

    def examples(self, split: Split, reader: ExampleReader) -> Iterator[Example]:
        """Yield the questions with answers of one side.

        Raises:
            TrainingError: a file cannot be read.
        """
        for file, held in self._split_lines(split):
            try:
                yield from reader.read(file.path, partial(self._wants, split=split, held=held))
            except DocumentError as error:
                raise TrainingError(error.title, "Repair or remove it.", error.details) from error

    def answers(self, split: Split) -> Iterator[str]:
        """Yield the texts that the questions of one side are to be answered with."""
        for file, held in self._split_lines(split):
            for _, row in json_rows(file, lambda _: None):
                if self._wants(line_hash(row), split, held):
                    yield from _answers(row)

    def _split_lines(self, split: Split) -> Iterator[tuple[TextFile, bool]]:
        """The files with lines of one side, and whether they are held out whole."""
        for at, file in enumerate(self._lines.files):
            held = at < self._lines.held_files
            if not self._named or held == (split == "validation"):
                yield file, held

    def _wants(self, value: int, split: Split, held: bool) -> bool:
        return (held or value in self._held_lines) == (split == "validation")

    def _survey(self, cancel: CancelFlag | None) -> None:
        """Read everything once: count, and choose what is held out."""
        collector = Collector(self._prose.sources(), self._settings)
        hashes, can_cut = [], False
        for source, value, text in collector.documents():
            raise_if_cancelled(cancel)
            if source == 1:
                hashes.append(value)
                can_cut = can_cut or cut_end(text, self._fraction)[1] != ""
        lines = list(self._line_hashes(cancel))
        self.skipped = collector.inventory.skipped
        self.documents_count, self.lines_count = len(hashes), len(lines)
        if not hashes and not lines:
            why = f" {self.skipped[0]}" if self.skipped else ""
            raise TrainingError(
                f"There is no text to learn from in the files named.{why}",
                "Name files or folders that hold .txt, .md or .jsonl files with text in them.",
            )
        least = MANY_DOCUMENTS if can_cut else _LEAST_DOCUMENTS
        self._holds_whole = len(hashes) >= least or not self._fraction
        self._held_documents = self._smallest(hashes if self._holds_whole else [])
        self._held_lines = self._smallest(lines if len(lines) >= _MANY_LINES else [])

    def _smallest(self, hashes: Sequence[int]) -> frozenset[int]:
        if self._named or not self._fraction or not hashes:
            return frozenset()
        different = sorted(set(hashes))
        return frozenset(different[: max(1, round(len(different) * self._fraction))])

    def _line_hashes(self, cancel: CancelFlag | None) -> Iterator[int]:
        for file in self._lines.files[self._lines.held_files :]:
            try:
                for _, row in json_rows(file, lambda _: None):
                    raise_if_cancelled(cancel)
                    yield line_hash(row)
            except _unreadable() as error:
                raise TrainingError(
                    f"{file.path} cannot be read: {error}.", "Repair or remove it.", repr(error)
                ) from error


def line_hash(row: dict[str, object]) -> int:
    """What divides lines, as `ExampleReader` computes it."""
    return document_hash(repr(sorted(row.items())))


def cut_end(text: str, fraction: float) -> tuple[str, str]:
    """A text without its last part, and that part, which begins with a paragraph or a line.

    A part too short to be measured stays where it is.
    """
    at = int(len(text) * (1 - _LARGEST_END * fraction))
    for border in ("\n\n", "\n", " "):
        found = text.find(border, at)
        if found >= 0 and len(text) - found >= _SMALLEST_END:
            return text[:found].rstrip(), text[found:].lstrip()
    return text, ""


def _answers(row: dict[str, object]) -> Iterator[str]:
    messages = row.get("messages")
    if isinstance(messages, list):
        for message in messages:
            if isinstance(message, dict) and message.get("role") == "assistant":
                yield str(message.get("content", ""))
        return
    yield from (str(row[key]) for key in ("summary", "src", "tgt", "rewritten") if key in row)


def _find(paths: Sequence[str], settings: FinetuneSettings) -> list[TextFile]:
    entries = [SourceSettings(path=path, text_key=settings.text_key) for path in paths]
    try:
        return [file for source in find_sources(entries) for file in source.files]
    except TrainingError as error:
        hint = "Name files or folders of .txt, .md or .jsonl files; .zst, .xz and .gz are unpacked."
        raise TrainingError(error.title, hint, error.details) from error


def _part(held: Sequence[TextFile], learnt: Sequence[TextFile], *, tasks: bool) -> _Part:
    """The files that hold questions with answers, or those that hold prose."""
    chosen = [[f for f in files if _asks(f) == tasks] for files in (held, learnt)]
    return _Part((*chosen[0], *chosen[1]), len(chosen[0]))


def _asks(file: TextFile) -> bool:
    """Whether the first line of a file is a question with its answer."""
    if file.kind != "lines":
        return False
    try:
        _, row = next(json_rows(file, lambda _: None), (0, {}))
    except _unreadable():
        return False
    kinds = (keys for kind, keys in KINDS.items() if kind != "continue")  # that is prose
    return any(all(key in row for key in keys) for keys in kinds)


def _unreadable() -> tuple[type[Exception], ...]:
    return (UnicodeError, DocumentError, *unpacking_errors())
