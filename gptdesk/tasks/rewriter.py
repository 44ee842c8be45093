"""Rewrites one sentence after another and keeps those that a model does not do right."""

from __future__ import annotations

from gptdesk.errors import ContextOverflowError
from gptdesk.tasks.bounded_answers import SMALLEST_BUDGET, BoundedAnswers
from gptdesk.tasks.certainty import Certainty, certain_changes
from gptdesk.tasks.joining import Verbatim
from gptdesk.tasks.line_by_line import Step
from gptdesk.tasks.markup import Fragment, Line, cut_at, fragments, has_words, literals
from gptdesk.tasks.proofreading import ENDS, as_title, strays, without_damage
from gptdesk.tasks.rewriting_prompts import RewritingPrompts
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.survival import lost_ranges, made_up
from gptdesk.text.language import guess_language
from gptdesk.text.segmentation import sentences
from gptdesk.text.task_template import PROOFREAD

_TASK = "rewrite"

# A rewriting may have so many tokens for each of the source, and so many on top: enough for a
# sentence that is made into several, and the end of a model that talks on or repeats itself.
_LONGEST_RATIO = 1.5
_LONGEST_EXTRA = 16
_SHORTEST_SENTENCE = 25  # bytes, which weigh Chinese and English alike; less is a title or a label


class Rewriter:
    """Rewrites the words of lines; a sentence that comes back damaged stays as it was.

    Unlike a translation it is not cut at links and code: a sentence in two halves is two wrong
    sentences to a proofreader, and what is done to a link inside it can be taken back.

    Attributes:
        notes: sentences about what was kept or taken back.

    Raises:
        ContextOverflowError: the context has no room for a prompt and its answer.
    """

    def __init__(self, run: TaskRun, prompts: RewritingPrompts) -> None:
        self._run = run
        self._prompts = prompts
        # The source and its longest rewriting share the room.
        self._answers = BoundedAnswers(run, prompts.overhead(), _LONGEST_RATIO, _LONGEST_EXTRA)
        if self._answers.budget < SMALLEST_BUDGET:
            raise ContextOverflowError(
                f"This model attends to {run.ops.context_length} tokens, too few to rewrite.",
                "Open a model with a longer context.",
            )
        self.notes: list[str] = []
        self._least = run.ops.profile.certainty(_TASK) if prompts.manner == PROOFREAD else 0.0
        self._line = 1
        self._kind = ""
        self._is_title = False

    def begin(self, number: int, line: Line) -> str:
        """Turn to a line, whose number the notes give; headings and list items are of own kinds."""
        self._line = number
        marks = line.marker.strip(" \t\u3000>")
        self._kind = "heading" if "#" in marks else "marked" if marks else ""
        return self._kind

    def pieces(self, body: str) -> list[Fragment]:
        """Cut a line into sentences, and at the borders of table cells.

        The joined text of the pieces is `body`. Chat models are given lines that fit as a whole:
        they see what a word refers to.
        """
        self._is_title = self._may_be_title(body)
        if self._prompts.takes_paragraphs and self._answers.fits(body):
            return [Fragment(body, literal=False)]
        borders = [span for span in literals(body) if body[slice(*span)].strip() == "|"]
        return [
            Fragment(part, literal=not _has_own_words(part))
            for cell in cut_at(body, borders)
            for sentence in _sentences(cell.text)
            for part in self._answers.short(sentence)
        ]

    def write(self, text: str) -> Step:
        """Rewrite a piece; white space around it stays. Yields progress, returns the text."""
        words = text.strip()
        if not has_words(words):
            return text
        prompt, certainty = self._prompts.rewrite(words), Certainty()
        values = {"top_logprobs": 1} if self._least else {}
        answer = yield from self._answers.ask(prompt, words, values, certainty)
        if self._run.cancelled:
            return text
        if self._is_title:
            answer = as_title(words, answer)
        return text.replace(words, self._checked(words, answer, certainty), 1)

    def joiner(self) -> Verbatim:
        """What puts the rewritten pieces of a line together."""
        return Verbatim()

    def _may_be_title(self, body: str) -> bool:
        """Whether a line need not begin with a capital and end with a full stop."""
        if body.endswith(ENDS):
            return False
        if self._kind == "heading":
            return True
        short = len(body.encode()) < _SHORTEST_SENTENCE
        return (bool(self._kind) or short) and len(_sentences(body)) == 1

    def _checked(self, words: str, answer: str, certainty: Certainty) -> str:
        """The answer, or the words as they were."""
        if self._run.reason in {"length", "context"}:
            return self._kept(
                words, "the model did not come to an end; the text was kept as it was."
            )
        if not answer:
            return self._kept(words, "the model gave no answer; the text was kept as it was.")
        if self._prompts.manner == PROOFREAD:
            return self._proofread(words, answer, certainty)
        return self._simplified(words, answer)

    def _proofread(self, words: str, answer: str, certainty: Certainty) -> str:
        if strays(words, without_damage(words, answer)[0]):
            return self._kept(words, "the model changed too much; the text was kept as it was.")
        certain = certain_changes(words, answer, certainty, self._least)
        corrected, taken_back = without_damage(words, certain)
        if taken_back:
            self._note(f"the model changed {', '.join(taken_back)}; that was taken back.")
        return corrected

    def _simplified(self, words: str, answer: str) -> str:
        lost = [words[start:end] for start, end in lost_ranges(words, answer)]
        if lost:
            return self._kept(
                words, f"the model lost {', '.join(lost)}; the text was kept as it was."
            )
        invented = made_up(words, answer)
        if invented:
            return self._kept(
                words, f"the model made up {', '.join(invented)}; the text was kept as it was."
            )
        before, after = guess_language(words), guess_language(answer)
        if before and after and before != after:
            return self._kept(
                words, "the model answered in another language; the text was kept as it was."
            )
        return answer

    def _kept(self, words: str, why: str) -> str:
        self._note(why)
        return words

    def _note(self, what: str) -> None:
        self.notes.append(f"Line {self._line}: {what}")


def _has_own_words(text: str) -> bool:
    """Whether there is a word outside links, code and the like."""
    return any(not fragment.literal for fragment in fragments(text))


def _sentences(text: str) -> list[str]:
    """The sentences with the white space after them; a full stop within a literal ends none."""
    inside = literals(text)
    found, start = [], 0
    for span in sentences(text):
        if not any(first < span.end < last for first, last in inside):
            found.append(text[start : span.end])
            start = span.end
    return [*found, *filter(None, [text[start:]])]
