"""From text to tokens: the stage "shards" of a training run.

Goes on where it was stopped, shard by shard; of a corpus of any size a few million characters
are in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.training.collect import Collector
from gptdesk.training.config import TrainingConfig
from gptdesk.training.events import StageProgress, StageStarted, TrainingEvent
from gptdesk.training.preparation import Corpus, Ticker, not_ready, read_corpus
from gptdesk.training.shards import Index, ShardWriter, TokenShards, dtype_for, is_finished
from gptdesk.training.tokenizer_training import Encoder
from gptdesk.training.work_folder import WorkFolder, digest_of

_BATCH_CHARS = 1_000_000


def make_shards(
    config: TrainingConfig, work: WorkFolder, cancel: CancelFlag | None
) -> Iterator[TrainingEvent]:
    """Turn all text into tokens; goes on where an earlier run was stopped.

    Raises:
        TrainingError: an earlier stage is missing, or the disk is full.
        Cancelled: the person stopped it.
    """
    corpus, encoder = read_corpus(config, work), Encoder(work.tokenizer)
    places = _token_folders(corpus, encoder, work)
    if all(is_finished(folder, index) for folder, index in places):
        yield StageStarted("shards", "unchanged")
        return
    total = sum(corpus.inventory.documents)
    yield StageStarted("shards", f"{total:,} documents")
    sharding = _Sharding(corpus, encoder, places)
    ticker = Ticker()
    for done, (source, value, text) in enumerate(
        Collector(corpus.sources, config.data).documents(), 1
    ):
        sharding.add(source, value, text)
        if ticker.due():
            raise_if_cancelled(cancel)
            yield StageProgress("shards", done, total, "documents")
    tokens = sharding.finish()
    yield StageProgress("shards", total, total, f"{tokens:,} tokens")


def open_shards(
    config: TrainingConfig, work: WorkFolder
) -> tuple[list[tuple[TokenShards, float]], TokenShards]:
    """The shards of every source with its weight, and those of the text held out.

    Raises:
        TrainingError: an earlier stage is missing.
    """
    corpus, encoder = read_corpus(config, work), Encoder(work.tokenizer)
    places = _token_folders(corpus, encoder, work)
    if not all(is_finished(folder, index) for folder, index in places):
        raise not_ready("shards", work)
    validation, *train = (TokenShards(folder) for folder, _ in places)
    weights = (source.weight for source in corpus.sources[corpus.held_out :])
    return list(zip(train, weights, strict=True)), validation


class _Sharding:
    """Sends documents in batches through the tokenizer, each to the shards it belongs to.

    Place 0 is the text held out; place n + 1 is source n of those to learn from. Sources come
    one after another, so that one of them at a time holds tokens in memory.
    """

    def __init__(self, corpus: Corpus, encoder: Encoder, places: list[tuple[Path, Index]]) -> None:
        self._corpus = corpus
        self._encoder = encoder
        self._done = [is_finished(folder, index) for folder, index in places]
        self._writers = [
            None if done else ShardWriter(folder, index)
            for done, (folder, index) in zip(self._done, places, strict=True)
        ]
        self._skip = [writer.documents_done if writer else 0 for writer in self._writers]
        self._current = 1
        self._tokens = 0
        self._waiting: list[tuple[int, str]] = []
        self._waiting_chars = 0

    def add(self, source: int, value: int, text: str) -> None:
        """Take one document, in the order of the collector."""
        own = source - self._corpus.held_out + 1
        place = 0 if self._corpus.is_validation(source, value) else own
        if own > self._current:
            self._flush()
            for finished in range(self._current, own):
                self._finish(finished)
            self._current = own
        if self._writers[place] is None:
            return
        if self._skip[place]:
            self._skip[place] -= 1
            return
        self._waiting.append((place, text))
        self._waiting_chars += len(text)
        if self._waiting_chars >= _BATCH_CHARS:
            self._flush()

    def finish(self) -> int:
        """Write what is left; returns the number of tokens written."""
        self._flush()
        for place in range(len(self._writers)):
            self._finish(place)
        return self._tokens

    def _flush(self) -> None:
        encoded = self._encoder.encode([text for _, text in self._waiting])
        for (place, text), ids in zip(self._waiting, encoded, strict=True):
            writer = self._writers[place]
            if writer is not None:
                writer.add(ids, len(text.encode("utf-8")))
        self._waiting.clear()
        self._waiting_chars = 0

    def _finish(self, place: int) -> None:
        writer, self._writers[place] = self._writers[place], None
        if writer is not None:
            self._tokens += writer.finish().index.tokens


def _token_folders(corpus: Corpus, encoder: Encoder, work: WorkFolder) -> list[tuple[Path, Index]]:
    """Where tokens go and what they are made from: the text held out first, then each source."""
    trained = len(corpus.sources) - corpus.held_out
    names = [work.validation_tokens, *(work.train_tokens(number) for number in range(trained))]
    return [
        (
            folder,
            Index(
                dtype=dtype_for(encoder.vocab_size),
                vocab_size=encoder.vocab_size,
                end_id=encoder.end_id,
                tokenizer=encoder.hash,
                source=digest_of(corpus.origin, corpus.cutoff, number),
            ),
        )
        for number, folder in enumerate(names)
    ]
