"""Batches: the same for every process and after every restart; every token in its turn."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.errors import TrainingError
from gptdesk.training.batches import IGNORED, PackedBatches
from gptdesk.training.example_rows import InstructBatches, read_rows_index, write_rows
from gptdesk.training.instruction import Example
from gptdesk.training.shards import Index, ShardWriter, TokenShards

T = 8
INDEX = Index(dtype="<u2", vocab_size=60_000, end_id=0, tokenizer="t", source="s")


def shards_of(folder: Path, lengths: list[int], first_id: int = 1) -> TokenShards:
    """Documents of these lengths, their ids counting up from `first_id`."""
    writer = ShardWriter(folder, INDEX, shard_tokens=50)
    for length in lengths:
        writer.add(range(first_id, first_id + length), length)
        first_id += length
    return writer.finish()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TokenShards:
    return shards_of(tmp_path_factory.mktemp("shards"), [3, 20, 0, 1, 40, 9, 30, 2, 2, 25])


def test_targets_are_the_ids_that_follow(corpus: TokenShards) -> None:
    batch = PackedBatches([(corpus, 1.0)], T, 5, seed=1).batch(0)
    assert batch.inputs.shape == batch.targets.shape == batch.segments.shape == (5, T)
    assert (batch.inputs.dtype, batch.segments.dtype) == (np.int64, np.int32)
    assert (batch.inputs[:, 1:] == batch.targets[:, :-1]).all()


def test_an_epoch_has_every_token_as_a_target(corpus: TokenShards) -> None:
    batches = PackedBatches([(corpus, 1.0)], T, 1, seed=1)
    rows = [batches.batch(step) for step in range(batches.rows_per_epoch)]
    targets = {int(target) for row in rows for target in row.targets.ravel()}
    firsts = {int(array[0]) for array in corpus.arrays}
    assert targets | firsts == set(range(133))  # the first id of a shard follows nothing
    again = [batches.batch(step + batches.rows_per_epoch) for step in range(len(rows))]
    order = [row.inputs.tolist() for row in rows]
    assert order != [row.inputs.tolist() for row in again]
    assert sorted(order) == sorted(row.inputs.tolist() for row in again)


@given(step=st.integers(0, 50), rows=st.integers(1, 7), world=st.integers(1, 9))
def test_processes_share_the_same_rows(
    corpus: TokenShards, step: int, rows: int, world: int
) -> None:
    batches = PackedBatches([(corpus, 1.0)], T, rows, seed=3)
    whole = batches.batch(step)
    parts = [batches.batch(step, rank, world) for rank in range(world)]
    for name in ("inputs", "targets", "segments"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert (joined == getattr(whole, name)).all()
    assert max(len(part.inputs) for part in parts) - min(len(part.inputs) for part in parts) <= 1


def test_a_batch_depends_on_seed_and_step_alone(corpus: TokenShards) -> None:
    first = PackedBatches([(corpus, 1.0)], T, 4, seed=1)
    first.batch(0)
    assert (first.batch(7).inputs == PackedBatches([(corpus, 1.0)], T, 4, 1).batch(7).inputs).all()
    assert (first.batch(7).inputs != PackedBatches([(corpus, 1.0)], T, 4, 2).batch(7).inputs).any()


def test_a_weight_says_how_often_a_source_is_seen(tmp_path: Path) -> None:
    rare, often, half = (
        shards_of(tmp_path / str(start), [39, 40], start) for start in (1, 1001, 2001)
    )
    batches = PackedBatches([(rare, 1.0), (often, 3.0), (half, 0.5)], T, 1, seed=1)
    seen: Counter[int] = Counter()
    for step in range(2 * batches.rows_per_epoch):
        seen.update(batches.batch(step).inputs[:, 1].tolist())
    counts = [{seen[i] for i in seen if low < i < low + 1000} for low in (0, 1000, 2000)]
    assert counts == [{2}, {6}, {1}]


def test_an_end_of_text_begins_the_segment_that_it_precedes(corpus: TokenShards) -> None:
    batches = PackedBatches([(corpus, 1.0)], T, 20, seed=1)
    batch = batches.batch(0)
    assert (batch.segments[:, 0] == 0).all()
    steps = np.diff(batch.segments, axis=1)
    assert ((steps == 1) == (batch.inputs[:, 1:] == 0)).all()


def test_a_text_shorter_than_the_context_is_padded(tmp_path: Path) -> None:
    batches = PackedBatches([(shards_of(tmp_path, [3]), 1.0)], T, 2, seed=1)
    batch = batches.batch(0)
    assert batches.rows_per_epoch == 1
    assert batch.inputs[0].tolist() == [1, 2, 3, 0, 0, 0, 0, 0]
    assert batch.targets[0].tolist() == [2, 3, 0, *[IGNORED] * 5]


def test_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no text"):
        PackedBatches([(shards_of(tmp_path, []), 1.0)], T, 1, seed=1)


EXAMPLES = [Example([9, *range(100, 100 + n), 50, 51, 0], 1 + n) for n in (1, 2, 4, 5, 1, 3)]


def instruct(folder: Path, rows: int = 1) -> InstructBatches:
    write_rows(folder, iter(EXAMPLES), context_length=T, vocab_size=200, end_id=0, source="s")
    return InstructBatches(folder, rows, seed=1)


def test_examples_lie_whole_in_rows_and_only_answers_count(tmp_path: Path) -> None:
    batches = instruct(tmp_path)
    rows = [batches.batch(step) for step in range(batches.rows_per_epoch)]
    answers = [row.targets[row.targets != IGNORED].tolist() for row in rows]
    assert sorted(itertools.chain.from_iterable(answers)) == sorted([50, 51, 0] * len(EXAMPLES))
    for row in rows:
        for number in range(int(row.segments.max()) + 1):
            ids = row.inputs[row.segments == number].tolist()
            assert ids[0] == 9 or set(ids) == {0}
    assert rows[0].inputs.shape == (1, T)


def test_a_question_counts_where_its_example_says_so(tmp_path: Path) -> None:
    example = Example([9, 100, 101, 50, 0], 3, asked=(False, True, True))
    write_rows(tmp_path, [example], context_length=T, vocab_size=200, end_id=0, source="s")
    targets = InstructBatches(tmp_path, 1, seed=1).batch(0).targets[0]
    assert targets[targets != IGNORED].tolist() == [100, 101, 50, 0]


def test_rows_that_lost_their_end_are_noticed(tmp_path: Path) -> None:
    instruct(tmp_path)
    victim = tmp_path / "scored.bin"
    victim.write_bytes(victim.read_bytes()[:-1])
    assert read_rows_index(tmp_path) is None
    with pytest.raises(TrainingError, match="incomplete"):
        InstructBatches(tmp_path, 1, seed=1)


def test_instruction_rows_are_shared_like_text(tmp_path: Path) -> None:
    batches = instruct(tmp_path, rows=3)
    parts = [batches.batch(4, rank, 2).targets for rank in range(2)]
    assert (np.concatenate(parts) == batches.batch(4).targets).all()
