"""Before there are tokens: the stages "collect" and "tokenizer" of a training run.

Each leaves its result in the work folder with a fingerprint of what it was made from, and passes
over work that is done. Nothing here needs torch.
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.errors import TrainingError
from gptdesk.training.collect import Collector, Inventory, held_out_below, skipped_text
from gptdesk.training.config import TrainingConfig
from gptdesk.training.events import StageProgress, StageStarted, TrainingEvent, TrainingWarning
from gptdesk.training.presets import PRESETS
from gptdesk.training.shards import (
    unwritable,
)
from gptdesk.training.sources import Source, find_sources, fingerprint
from gptdesk.training.tokenizer_training import (
    Encoder,
    sample_share,
    special_tokens,
    train_tokenizer,
    write_tokenizer,
)
from gptdesk.training.work_folder import WorkFolder, digest_of, read_json, write_json

_REPORT_SECONDS = 0.5
_BATCH_CHARS = 1_000_000
_SAMPLE_BITS = 20
_NAMED = 3
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)


@dataclass(frozen=True)
class Corpus:
    """The text of a run, counted.

    Attributes:
        sources: the ones held out come first, then the ones to learn from.
        held_out: how many of the sources are held out whole.
        cutoff: documents of the others are held out when their hash is below it.
        inventory: counts, by source.
        origin: fingerprint of all this.
    """

    sources: tuple[Source, ...]
    held_out: int
    cutoff: int
    inventory: Inventory
    origin: str

    def is_validation(self, source: int, value: int) -> bool:
        """Whether a document of this hash is held out."""
        return source < self.held_out or value < self.cutoff


def collect(
    config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None
) -> Iterator[TrainingEvent]:
    """Count the documents and choose the ones to hold out.

    Raises:
        TrainingError: a file cannot be read, or there is no text at all.
        Cancelled: the person stopped it.
    """
    sources, held_out, origin = _sources(config)
    files = sum(len(source.files) for source in sources)
    if read_json(work.inventory).get("origin") == origin:
        yield StageStarted("collect", f"{files} files, unchanged")
        return
    yield StageStarted("collect", f"{files} files")
    collector = Collector(sources, config.data)
    ticker = Ticker()
    for done, _ in enumerate(collector.documents(), 1):
        if ticker.due():
            raise_if_cancelled(cancel)
            yield StageProgress("collect", done, 0, "documents")
    inventory = collector.inventory
    if not sum(inventory.documents[held_out:]):
        raise _empty(config, inventory)
    cutoff = 0 if held_out else held_out_below(inventory, config.data.validation_fraction)
    yield from _warnings(inventory, has_validation=bool(held_out or cutoff))
    write_json(
        work.inventory,
        {"origin": origin, "cutoff": cutoff, "inventory": dataclasses.asdict(inventory)},
    )


def read_corpus(config: TrainingConfig, work: WorkFolder) -> Corpus:
    """What `collect` found.

    Raises:
        TrainingError: it has not run on this text.
    """
    sources, held_out, origin = _sources(config)
    data = read_json(work.inventory)
    if data.get("origin") != origin:
        raise not_ready("collect", work)
    return Corpus(sources, held_out, data["cutoff"], Inventory(**data["inventory"]), origin)


def make_tokenizer(
    config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None
) -> Iterator[TrainingEvent]:
    """Train the tokenizer, or copy the one that the configuration names.

    Raises:
        TrainingError: the one to copy is missing, or the disk is full.
        OptionError: the vocabulary is too small.
        Cancelled: the person stopped it.
    """
    origin = _tokenizer_origin(config, work)
    if read_json(work.tokenizer / "origin.json").get("origin") == origin:
        yield StageStarted("tokenizer", "unchanged")
        return
    if config.tokenizer.path:
        yield StageStarted("tokenizer", config.tokenizer.path)
        _copy_tokenizer(Path(config.tokenizer.path), work.tokenizer)
    else:
        yield from _train_tokenizer(config, work, cancel)
    Encoder(work.tokenizer)  # whatever is wrong with it shows now
    write_json(work.tokenizer / "origin.json", {"origin": origin})


def not_ready(stage: str, work: WorkFolder) -> TrainingError:
    """The error of a stage whose predecessor has not run."""
    return TrainingError(
        f'The result of the stage "{stage}" is missing in {work.root}, or its text has changed.',
        f"Run without --from, or with --from {stage}.",
    )


class Ticker:
    """True twice a second."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether half a second has passed since it last was."""
        now = time.monotonic()
        if now - self._last < _REPORT_SECONDS:
            return False
        self._last = now
        return True


def _sources(config: TrainingConfig) -> tuple[tuple[Source, ...], int, str]:
    """All sources, how many are held out whole, and the fingerprint of the text."""
    # What training itself writes may lie in a folder of texts; it is no text to learn.
    own = (config.run.out, config.run.work_folder)
    validation = _without(find_sources(config.data.validation_sources), own)
    held = tuple(file.path for source in validation for file in source.files)
    train = _without(find_sources(config.data.train_sources), (*own, *held))
    sources = (*validation, *train)
    settings = dataclasses.asdict(config.data)
    for selects_nothing in ("train", "validation"):
        settings.pop(selects_nothing)
    origin = digest_of(fingerprint(sources), len(validation), settings)
    return sources, len(validation), origin


def _without(sources: Iterable[Source], places: Sequence[Path]) -> list[Source]:
    """The sources without the files that are one of some places or below one."""
    taken = frozenset(places)
    return [
        dataclasses.replace(
            source,
            files=tuple(
                file for file in source.files if taken.isdisjoint((file.path, *file.path.parents))
            ),
        )
        for source in sources
    ]


def _empty(config: TrainingConfig, inventory: Inventory) -> TrainingError:
    names = ", ".join(source.path for source in config.data.train_sources[:_NAMED])
    reasons = [f"{inventory.short} were too short."] if inventory.short else []
    reasons += [f"{len(inventory.skipped)} files were no text."] if inventory.skipped else []
    why = "".join(f" {reason}" for reason in reasons)
    return TrainingError(
        f"There is no document to train on in {names}.{why}",
        "Put text into these files, or name others below [data] train.",
    )


def _warnings(inventory: Inventory, *, has_validation: bool) -> Iterator[TrainingWarning]:
    if inventory.skipped:
        yield TrainingWarning(skipped_text(inventory.skipped))
    if inventory.duplicates:
        yield TrainingWarning(f"{inventory.duplicates:,} repeated documents were left out.")
    if not has_validation:
        yield TrainingWarning("Nothing is held out: the figures of training will be too good.")


def _tokenizer_origin(config: TrainingConfig, work: WorkFolder) -> str:
    settings = config.tokenizer
    if settings.path:
        path = _tokenizer_file(Path(settings.path))
        stat = path.stat()
        return digest_of(str(path), stat.st_size, stat.st_mtime_ns)
    corpus = read_corpus(config, work)
    specials = special_tokens(settings, config.model.languages)
    return digest_of(
        corpus.origin, _vocab_size(config), settings.pattern, settings.sample_chars, specials
    )


def _vocab_size(config: TrainingConfig) -> int:
    return config.tokenizer.vocab_size or PRESETS[config.model.preset].vocab_size


def _tokenizer_file(path: Path) -> Path:
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file() or file.name != "tokenizer.json":
        raise TrainingError(
            f"There is no tokenizer.json at {path}.",
            "Correct [tokenizer] path, or leave it out to train a tokenizer.",
        )
    return file


def _copy_tokenizer(path: Path, target: Path) -> None:
    folder = _tokenizer_file(path).parent
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in _TOKENIZER_FILES:
            (target / name).unlink(missing_ok=True)
            if (folder / name).is_file():
                shutil.copyfile(folder / name, target / name)
    except OSError as error:
        raise unwritable(target, error) from error


def _train_tokenizer(
    config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None
) -> Iterator[TrainingEvent]:
    corpus = read_corpus(config, work)
    settings = config.tokenizer
    size = _vocab_size(config)
    yield StageStarted("tokenizer", f"{size:,} tokens, pattern {settings.pattern}")
    chars = corpus.inventory.chars
    shares = [0.0] * corpus.held_out + sample_share(chars[corpus.held_out :], settings.sample_chars)
    limits = [int(share * (1 << _SAMPLE_BITS)) for share in shares]
    sample: list[str] = []
    ticker = Ticker()
    total = sum(corpus.inventory.documents)
    for done, (source, value, text) in enumerate(
        Collector(corpus.sources, config.data).documents(), 1
    ):
        # The low bits: the high ones decide what is held out.
        if value % (1 << _SAMPLE_BITS) < limits[source] and not corpus.is_validation(source, value):
            sample.append(text)
        if ticker.due():
            raise_if_cancelled(cancel)
            yield StageProgress("tokenizer", done, total, "documents")
    yield StageProgress("tokenizer", total, total, "merging")
    specials = special_tokens(settings, config.model.languages)
    tokenizer = train_tokenizer(iter(sample), settings.pattern, size, specials)
    raise_if_cancelled(cancel)
    write_tokenizer(tokenizer, work.tokenizer, config.model.context_length)
