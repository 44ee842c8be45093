"""From the text of a fine-tune to packed rows of tokens: its stage "examples"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gptdesk.cancel import CancelFlag, raise_if_cancelled
from gptdesk.errors import TrainingError
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.collect import Split, skipped_text
from gptdesk.training.events import StageProgress, StageStarted, TrainingEvent, TrainingWarning
from gptdesk.training.example_rows import InstructBatches, read_rows_index, write_rows
from gptdesk.training.finetune_text import TuningText
from gptdesk.training.instruction import Example, ExampleReader, Renderer, RowCounts
from gptdesk.training.work_folder import WorkFolder, digest_of, read_json, write_json

SPLITS: tuple[Split, ...] = ("train", "validation")


@dataclass
class _Prose:
    """What prose became: its bytes, and the tokens that are to be predicted."""

    utf8_bytes: int = 0
    targets: int = 0


@dataclass
class TuningRows:
    """Packs one text for one model.

    Args:
        text: what is learnt from and held out.
        tokenizer: of the model.
        render: puts the questions as the model is asked them.
        context: tokens of a row.
        work: where the rows go.
    """

    text: TuningText
    tokenizer: Tokenizer
    render: Renderer
    context: int
    work: WorkFolder
    _prose: _Prose = field(default_factory=_Prose)

    @property
    def origin(self) -> str:
        """Fingerprint of what the rows are made from."""
        probe = self.tokenizer.encode_plain("Tokenizers differ; 各不相同。 Ünlike 42!")
        return digest_of(self.text.origin, self.context, self.tokenizer.vocab_size, probe)

    def write(self, cancel: CancelFlag | None) -> Iterator[TrainingEvent]:
        """Write the rows, unless they are there.

        Raises:
            TrainingError: no document or line can be used, or the disk is full.
            Cancelled: the person stopped it.
        """
        if self._are_ready():
            yield StageStarted("examples", "unchanged")
            return
        documents, lines = self.text.documents_count, self.text.lines_count
        yield StageStarted("examples", f"{documents:,} documents, {lines:,} questions")
        if self.text.skipped:
            yield TrainingWarning(skipped_text(self.text.skipped))
        reader = ExampleReader(self.tokenizer, self.render, self.context)
        figures: dict[str, float] = {}
        for split in SPLITS:
            self._prose = _Prose()
            yield from self._write_split(split, reader, cancel)
            figures[split] = self._bytes_per_target(split, reader.counts)
        yield from _warnings(reader.counts)
        if not self.count("validation"):
            yield TrainingWarning("Nothing is held out: nobody can say what training brings.")
        note = {"origin": self.origin, "bytes_per_token": figures["validation"]}
        write_json(self.work.examples, note)

    def count(self, split: Split) -> int:
        """Rows of one side that were written."""
        index = read_rows_index(self.work.example_rows(split))
        return index.rows if index else 0

    def batches(self, split: Split, rows: int, seed: int) -> InstructBatches | None:
        """The rows of one side as batches; None where it has none."""
        if not self.count(split):
            return None
        batches = InstructBatches(self.work.example_rows(split), rows, seed)
        if split == "validation":
            batches.bytes_per_token = read_json(self.work.examples).get("bytes_per_token", 0.0)
        return batches

    def _are_ready(self) -> bool:
        if read_json(self.work.examples).get("origin") != self.origin:
            return False
        return all(read_rows_index(self.work.example_rows(split)) for split in SPLITS)

    def _write_split(
        self, split: Split, reader: ExampleReader, cancel: CancelFlag | None
    ) -> Iterator[TrainingEvent]:
        index = write_rows(
            self.work.example_rows(split),
            self._examples(split, reader, cancel),
            context_length=self.context,
            vocab_size=self.tokenizer.vocab_size,
            end_id=min(self.tokenizer.end_ids, default=0),
            source=self.origin,
        )
        if split == "train" and not index.rows:
            why = reader.counts.first_bad or "all of it is too short, or longer than the context."
            raise TrainingError(
                f"There is nothing to learn from: {why}",
                "Lines are objects with document and summary, with src, tgt, src_lang and "
                "tgt_lang, with text and rewritten, with text and label, or with messages; prose is "
                ".txt or .md.",
            )
        detail = f"{split}: {index.examples:,} pieces in {index.rows:,} rows of {self.context}"
        yield StageProgress("examples", SPLITS.index(split) + 1, len(SPLITS), detail)

    def _examples(
        self, split: Split, reader: ExampleReader, cancel: CancelFlag | None
    ) -> Iterator[Example]:
        for text in self.text.documents(split):
            raise_if_cancelled(cancel)
            self._prose.utf8_bytes += len(text.encode("utf-8", "replace"))
            for window in prose_windows(self.tokenizer, text, self.context):
                self._prose.targets += len(window.ids) - window.answer_start
                yield window
        for example in self.text.examples(split, reader):
            raise_if_cancelled(cancel)
            yield example

    def _bytes_per_target(self, split: Split, counts: RowCounts) -> float:
        """Of prose alone: what an answer's bytes are worth depends on its question."""
        if split == "train" or counts.tasks or not self._prose.targets:
            return 0.0
        return self._prose.utf8_bytes / self._prose.targets


def prose_windows(tokenizer: Tokenizer, text: str, context: int) -> Iterator[Example]:
    """Cut a document, framed as the model knows documents, into pieces that overlap by one id.

    Each has at most `context` + 1 ids, all but the first of which are to be predicted.
    """
    ends = [min(tokenizer.end_ids)] if tokenizer.end_ids else []
    ids = [*(tokenizer.prefix_ids or ends), *tokenizer.encode_plain(text), *ends]
    for start in range(0, len(ids) - 1, context):
        yield Example(ids[start : start + context + 1], 1)


def _warnings(counts: RowCounts) -> Iterator[TrainingWarning]:
    if counts.bad:
        yield TrainingWarning(f"{counts.bad} lines were left out; the first: {counts.first_bad}")
    if counts.too_long:
        yield TrainingWarning(
            f"{counts.too_long} examples were left out: they are longer than the context."
        )
