"""The 5-gram model that counted what the bundled model was trained on, and what xz makes of a text.

The rows of both trainings are made again from the seed and the number of the last step. A row that
was seen several times is counted once: counts that all are even would leave Kneser-Ney nothing to
take its discounts from.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from base_corpus import PROSE
from numpy.typing import NDArray

from gptdesk.evaluation.items import Prose, read_items
from gptdesk.evaluation.ngram import NgramModel
from gptdesk.evaluation.perplexity import MAX_WINDOW, Likelihood, measure_text
from gptdesk.session import Model
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.batches import IGNORED, Batches, PackedBatches
from gptdesk.training.config import TrainingConfig
from gptdesk.training.example_rows import InstructBatches
from gptdesk.training.run_settings import global_rows
from gptdesk.training.sharding import open_shards
from gptdesk.training.sources import open_unpacked
from gptdesk.training.work_folder import WorkFolder, read_json

ORDER = 5
_XZ_PRESET = 9

Ids = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class SeenText:
    """What a model was trained on, each row once.

    Attributes:
        ids: uint32 [N] of all texts, end to end.
        starts: bool [N]: where a text begins, with an id that is a context only.
        rows: different rows that were read.
    """

    ids: Ids
    starts: NDArray[np.bool_]
    rows: int


def seen_text(config: TrainingConfig) -> SeenText:
    """The text of both trainings, as far as they came.

    Raises:
        TrainingError: the tokens are missing, or of another text than the configuration names.
    """
    work = WorkFolder(config.run.work_folder)
    sources, _ = open_shards(config, work)
    end_id = sources[0][0].index.end_id
    seed = config.run.seed
    packed = PackedBatches(sources, config.row_tokens, global_rows(config), seed)
    found = list(_different_rows(packed, last_step(work, "pretrain"), end_id))
    steps = last_step(work, "instruct")
    if steps:
        rows = global_rows(config, instruct=True)
        examples = InstructBatches(work.example_rows("train"), rows, seed)
        found += _different_rows(examples, steps, end_id)
    ids, starts = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return SeenText(ids, starts, len(found))


def last_step(work: WorkFolder, stage: str) -> int:
    """How many steps a training took; of an unfinished one, those until its last checkpoint."""
    folder = work.run(stage)
    finished = read_json(folder / "finished.json").get("step")
    names = [path.name for path in (folder / "checkpoints").glob("step-*")]
    return int(finished or max((int(name.split("-")[1]) for name in names), default=0))


def ngram_figures(config: TrainingConfig, data: Path) -> dict[str, dict[str, float]]:
    """Bits per byte of each test text, measured as `gptdesk evaluate` measures a model."""
    tokenizer = Tokenizer.from_folder(WorkFolder(config.run.work_folder).tokenizer)
    seen = seen_text(config)
    counted = NgramModel(seen.ids, tokenizer.vocab_size, ORDER, seen.starts)
    facts = {"tokens": float(len(seen.ids)), "rows": float(seen.rows), "order": float(ORDER)}
    figures = {"training text": facts}
    for name in PROSE:
        path = data / f"{name}.test.txt.xz"
        total = Likelihood()
        for item in cast("Sequence[Prose]", read_items(path).items):
            total += likelihood(counted, tokenizer, item.text)
        figures[f"{name}.test"] = {
            "bits per byte": total.bits_per_byte,
            "perplexity": total.perplexity,
            "tokens": float(total.tokens),
            "bytes": float(total.utf8_bytes),
        }
    return figures


def likelihood(counted: NgramModel, tokenizer: Tokenizer, text: str) -> Likelihood:
    """The likelihood of a text under the counts."""
    reader = SimpleNamespace(
        tokenizer=tokenizer,
        info=SimpleNamespace(context_length=MAX_WINDOW),
        log_probabilities=lambda ids: counted.log_probabilities(np.array(ids)),
    )
    *_, total = measure_text(cast("Model", reader), text)
    return cast("Likelihood", total)


def xz_figures(data: Path) -> dict[str, dict[str, float]]:
    """Bits per byte of each test text, compressed alone."""
    figures = {}
    for name in PROSE:
        with open_unpacked(data / f"{name}.test.txt.xz") as file:
            text = file.read()
        packed = len(lzma.compress(text, preset=_XZ_PRESET))
        figures[f"{name}.test"] = {"bits per byte": 8 * packed / len(text), "bytes": len(text)}
    return figures


def _different_rows(
    batches: Batches, steps: int, end_id: int
) -> Iterator[tuple[Ids, NDArray[np.bool_]]]:
    """Yield ids and starts of every row that these steps read, once."""
    known: set[bytes] = set()
    for step in range(steps):
        batch = batches.batch(step)
        for row in zip(batch.inputs, batch.targets, batch.segments, strict=True):
            digest = blake2b(row[0].tobytes() + row[1][-1:].tobytes(), digest_size=12).digest()
            if digest not in known:
                known.add(digest)
                yield laid_out(*row, end_id)


def laid_out(
    inputs: NDArray[Any], targets: NDArray[Any], segments: NDArray[Any], end_id: int
) -> tuple[Ids, NDArray[np.bool_]]:
    """The texts of one row, each from its first context to its last target.

    An end of text that ends one text and begins the next stands there twice; padding goes.

    Args:
        inputs, targets, segments: (T,) as of a `Batch`.
        end_id: ends texts, and pads.
    """
    starts = np.ones(len(inputs), np.bool_)
    np.not_equal(segments[1:], segments[:-1], out=starts[1:])
    padding = ~starts & (inputs == end_id)
    padding[1:] &= inputs[:-1] == end_id
    predicted = np.flatnonzero(starts[1:] & (targets[:-1] != IGNORED)) + 1
    kept = np.flatnonzero(~padding)
    at = np.searchsorted(kept, predicted)
    ids = np.insert(inputs[kept], at, targets[predicted - 1])
    begins = np.insert(starts[kept], at, False)
    if targets[-1] != IGNORED:
        ids, begins = np.append(ids, targets[-1]), np.append(begins, False)
    return ids.astype(np.uint32), begins
