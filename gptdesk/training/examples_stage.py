"""From questions with answers to packed rows: the stage "examples" of a training run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.errors import DocumentError, TrainingError
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.collect import HASH_RANGE
from gptdesk.training.config import TrainingConfig
from gptdesk.training.events import StageProgress, StageStarted, TrainingEvent, TrainingWarning
from gptdesk.training.example_rows import read_rows_index, write_rows
from gptdesk.training.instruction import Example, ExampleReader, RowCounts, TemplateRenderer
from gptdesk.training.preparation import Ticker
from gptdesk.training.task_templates import end_text, templates_for
from gptdesk.training.work_folder import WorkFolder, digest_of, read_json, write_json

SPLITS = ("train", "validation")


def make_examples(
    config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None
) -> Iterator[TrainingEvent]:
    """Render, encode and pack the files below [instruct].

    Raises:
        TrainingError: a file cannot be read, holds no usable line, or the disk is full.
        Cancelled: the person stopped it.
    """
    origin = _origin(config, work)
    if examples_ready(config, work):
        yield StageStarted("examples", "unchanged")
        return
    yield StageStarted("examples", f"{len(config.instruct.files)} files")
    tokenizer = Tokenizer.from_folder(work.tokenizer)
    renderer = TemplateRenderer(
        templates_for(tokenizer),
        end_text(tokenizer),
        tokenizer,
        both_directions=config.instruct.both_directions,
    )
    counts = RowCounts()
    for split in SPLITS:
        # Held-out answers are measured alone, whatever the training counts.
        share = config.instruct.prompt_share if split == "train" else 0.0
        length = config.model.context_length + 1
        reader = ExampleReader(
            tokenizer,
            renderer,
            length,
            counts,
            prompt_share=share,
            notes_broken=split == SPLITS[0],
        )
        yield from _write_split(split, config, work, reader, cancel)
    yield from _warnings(counts)
    write_json(work.examples, {"origin": origin, "counts": dataclasses.asdict(counts)})


def examples_ready(config: TrainingConfig, work: WorkFolder) -> bool:
    """Whether the rows of these files are there, whole."""
    found = read_json(work.examples).get("origin") == _origin(config, work)
    return found and all(read_rows_index(work.example_rows(split)) for split in SPLITS)


def learnt_tasks(work: WorkFolder) -> tuple[str, ...]:
    """Tasks that there are examples of."""
    return tuple(read_json(work.examples).get("counts", {}).get("tasks", ()))


def _write_split(
    split: str,
    config: TrainingConfig,
    work: WorkFolder,
    reader: ExampleReader,
    cancel: CancelFlag | None,
) -> Iterator[TrainingEvent]:
    """Write one split; the packing pulls, so progress is told when it is done."""
    cutoff = int(config.instruct.validation_fraction * HASH_RANGE)
    tokenizer = Tokenizer.from_folder(work.tokenizer)

    def examples() -> Iterator[Example]:
        ticker = Ticker()
        for name in config.instruct.files:
            for example in _read(reader, Path(name), wanted):
                yield example
                if ticker.due():
                    raise_if_cancelled(cancel)

    def wanted(value: int) -> bool:
        return (value < cutoff) == (split == "validation")

    index = write_rows(
        work.example_rows(split),
        examples(),
        context_length=config.model.context_length,
        vocab_size=tokenizer.vocab_size,
        end_id=min(tokenizer.end_ids),
        source=_origin(config, work),
    )
    if split == "train" and not index.rows:
        why = reader.counts.first_bad or "every line is longer than the context."
        raise TrainingError(
            f"The files below [instruct] hold no example: {why}",
            "Lines are JSON objects as the documentation of [instruct] files shows.",
        )
    detail = f"{split}: {index.examples:,} examples in {index.rows:,} rows"
    yield StageProgress("examples", SPLITS.index(split) + 1, len(SPLITS), detail)


def _read(reader: ExampleReader, path: Path, wanted: Callable[[int], bool]) -> Iterator[Example]:
    try:
        yield from reader.read(path, wanted)
    except DocumentError as error:
        raise TrainingError(error.title, "Correct [instruct] files.", error.details) from error


def _warnings(counts: RowCounts) -> Iterator[TrainingWarning]:
    if counts.bad:
        yield TrainingWarning(f"{counts.bad} lines were left out; the first: {counts.first_bad}")
    if counts.too_long:
        yield TrainingWarning(
            f"{counts.too_long} examples were left out: they are longer than the context."
        )


def _origin(config: TrainingConfig, work: WorkFolder) -> str:
    """Fingerprint of the files, the tokenizer and what decides the rows."""
    facts: list[object] = [read_json(work.tokenizer / "origin.json"), config.model.context_length]
    for name in config.instruct.files:
        try:
            stat = Path(name).stat()
        except OSError as error:
            raise TrainingError(
                f"{name} cannot be read: {error.strerror}.", "Correct [instruct] files."
            ) from error
        facts.append([name, stat.st_size, stat.st_mtime_ns])
    settings = config.instruct
    return digest_of(
        facts, settings.both_directions, settings.validation_fraction, settings.prompt_share
    )
