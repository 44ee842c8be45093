"""Reads a text longer than the context: notes on its parts, and notes on the notes."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence

from gptdesk.generation.events import Progress
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.sections import Range, located
from gptdesk.tasks.summary_prompts import SummaryPrompts
from gptdesk.text.budget import chunks

# The answer may take this share of the context, and the notes on a part this share of the room
# for text: the notes on four parts then fit one prompt, so every round of notes is shorter.
_SHARE = 4


class Reader:
    """Brings texts of any length down to what one prompt can hold.

    Attributes:
        answer_tokens: the longest answer that is still given room beside the text.
        parts: character ranges of the parts read so far.
        partials: the notes on each of them; "" where the model had nothing to say.
        total: parts there will be, for the progress.

    Raises:
        ContextOverflowError: the context is too small for any text.
    """

    def __init__(self, run: TaskRun, prompts: SummaryPrompts) -> None:
        self._run = run
        self._prompts = prompts
        self._tokenizer = run.ops.tokenizer
        self.answer_tokens = min(run.sampling.max_new_tokens, run.ops.context_length // _SHARE)
        self._budget = prompts.budget(self.answer_tokens)
        self.parts: list[Range] = []
        self.partials: list[str] = []
        self.total = 0

    def plan(self, text: str, offset: int = 0) -> list[Range]:
        """The parts that a text must be read in: the whole of it when it fits."""
        tokens = self._tokenizer.count(text)
        if tokens <= self._budget:
            return [(offset, offset + len(text))]
        # Parts of about equal size, with a tenth of slack for the borders: a last part of a few
        # words would get as much of the notes as any other.
        number = math.ceil(tokens / self._budget)
        size = min(self._budget, math.ceil(1.1 * tokens / number))
        return located(text, chunks(text, self._tokenizer, size), offset)

    def progress(self) -> Progress:
        """How many parts were read."""
        return Progress(stage="part", done=len(self.parts), total=self.total)

    def notes(self, text: str, parts: Sequence[Range]) -> Generator[Progress, None, str]:
        """Read parts of a text one after another; return notes that fit one prompt.

        Ends early when the person stops; what was read by then is in `parts`.
        """
        notes = []
        for start, end in parts:
            if self._run.cancelled:
                break
            yield self.progress()
            notes.append((yield from self._note(text[start:end])))
            self.record((start, end), notes[-1])
        joined = _joined(notes)
        while not self._fits(joined) and not self._run.cancelled:
            joined = yield from self._shorter(joined)
        return joined

    def record(self, part: Range, partial: str) -> None:
        """Keep what came of a part."""
        self.parts.append(part)
        self.partials.append(partial)

    def _fits(self, text: str) -> bool:
        return self._tokenizer.count(text) <= self._budget

    def _note(self, text: str) -> Generator[Progress, None, str]:
        most = min(self.answer_tokens, self._budget // _SHARE)
        note = yield from self._run.collect(self._prompts.part(text), {"max_new_tokens": most})
        return " ".join(note.split())

    def _shorter(self, joined: str) -> Generator[Progress, None, str]:
        notes = []
        for group in chunks(joined, self._tokenizer, self._budget):
            if self._run.cancelled:
                break
            notes.append((yield from self._note(group)))
        shorter = _joined(notes)
        if self._tokenizer.count(shorter) >= self._tokenizer.count(joined):
            # Only a tokenizer that cannot read back what it wrote comes here; an end is due.
            return chunks(shorter, self._tokenizer, self._budget)[0]
        return shorter


def _joined(notes: Sequence[str]) -> str:
    return "\n".join(filter(None, notes))
