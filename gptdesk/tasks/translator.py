"""Translates one stretch of language after another and checks what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gptdesk.errors import ContextOverflowError
from gptdesk.tasks.bounded_answers import SMALLEST_BUDGET, BoundedAnswers
from gptdesk.tasks.joining import Joiner
from gptdesk.tasks.line_by_line import Step
from gptdesk.tasks.markup import Fragment, Line, cut_at, fragments, has_words
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.survival import lost_ranges
from gptdesk.tasks.translation_prompts import TranslationPrompts
from gptdesk.text.segmentation import sentences

# A translation may have so many tokens for each of the source, and so many on top: enough for
# any pair of languages, and the end of a model that talks on or repeats itself.
_LONGEST_RATIO = 3
_LONGEST_EXTRA = 24

# The prompt counts as seen too: a shorter n-gram would forbid names and numbers of the source.
_RETRY: Mapping[str, Any] = {"temperature": 0.0, "no_repeat_ngram_size": 6}
_UNSPACED = frozenset({"zh"})
# German and French write 48.317 and 48 317 for the 48,317 of English and Chinese.
_SAME_NUMBERS = frozenset({"en", "zh"})


class Translator:
    """Translates the words of lines, keeping everything that is not words.

    Attributes:
        notes: sentences about what had to be put right.

    Raises:
        ContextOverflowError: the context has no room for a prompt and its answer.
    """

    def __init__(self, run: TaskRun, prompts: TranslationPrompts) -> None:
        self._run = run
        self._prompts = prompts
        self._same_numbers = {prompts.source, prompts.target} <= _SAME_NUMBERS
        # The source and its longest translation share the room.
        self._answers = BoundedAnswers(run, prompts.overhead(), _LONGEST_RATIO, _LONGEST_EXTRA)
        if self._answers.budget < SMALLEST_BUDGET:
            raise ContextOverflowError(
                f"This model attends to {run.ops.context_length} tokens, too few to translate.",
                "Open a model with a longer context.",
            )
        self.notes: list[str] = []
        self._line = 1

    def begin(self, number: int, line: Line) -> str:  # noqa: ARG002  part of the protocol
        """Turn to a line, whose number the notes give; all are of one kind."""
        self._line = number
        return ""

    def pieces(self, body: str) -> list[Fragment]:
        """Cut a line where it must be cut: at what stays and, when it is long, into sentences.

        The joined text of the pieces is `body`. Chat models are trusted to carry links and code
        along, and a sentence keeps its grammar; what they lose is put back by `write`.
        """
        cut = [Fragment(body, literal=False)] if self._prompts.keeps_marks else fragments(body)
        return [part for piece in cut for part in self._sentences(piece)]

    def write(self, text: str) -> Step:
        """Translate a piece; white space around it stays. Yields progress, returns the text."""
        words = text.strip()
        if not has_words(words):
            return text
        answer = yield from self._answer(words)
        lost = lost_ranges(words, answer, verbatim=self._same_numbers)
        if lost and not self._run.cancelled:
            names = ", ".join(words[start:end] for start, end in lost)
            self._note(f"the model lost {names}; the text was translated around it.")
            answer = yield from self._around(words, lost)
        return text.replace(words, answer, 1)

    def joiner(self) -> Joiner:
        """What puts the translated pieces of a line together."""
        return Joiner(spaces=self._prompts.target not in _UNSPACED)

    def _sentences(self, piece: Fragment) -> list[Fragment]:
        whole = self._prompts.keeps_marks and self._answers.fits(piece.text)
        if piece.literal or whole:
            return [piece]
        spans = sentences(piece.text)
        return [
            Fragment(part, literal=not has_words(part))
            for span in spans
            for part in self._answers.short(piece.text[span.start : span.end])
        ]

    def _around(self, words: str, lost: list[tuple[int, int]]) -> Step:
        joiner, line = self.joiner(), ""
        for piece in cut_at(words, lost):
            text = piece.text
            core = text.strip()
            if not piece.literal:
                text = text.replace(core, (yield from self._answer(core, _RETRY)), 1)
            line += joiner.push(piece.text, text)
        return line + joiner.flush()

    def _answer(self, words: str, values: Mapping[str, Any] | None = None) -> Step:
        """Ask once, and once more when the model repeats itself; never returns nothing."""
        answer = yield from self._ask(words, values or {})
        if self._run.reason == "length":
            answer = yield from self._ask(words, _RETRY)
            if self._run.reason == "length":
                self._note("the translation did not come to an end and was cut off.")
        if not answer and not self._run.cancelled:
            self._note("the model gave no translation; the source was kept.")
            return words
        if answer == words and len(words.split()) > 2:
            self._note("the model gave the source back.")
        return answer

    def _ask(self, words: str, values: Mapping[str, Any]) -> Step:
        return self._answers.ask(self._prompts.translate(words), words, values)

    def _note(self, what: str) -> None:
        self.notes.append(f"Line {self._line}: {what}")
