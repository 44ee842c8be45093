"""Rewrite: sentence by sentence, so that line breaks, lists, links, code and numbers stay."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gptdesk.errors import OptionError
from gptdesk.generation.events import Event, Started
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.base import Apply, Operations
from gptdesk.tasks.languages import detect, name
from gptdesk.tasks.line_by_line import LineByLine
from gptdesk.tasks.options import OptionInfo, option
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.rewriter import Rewriter
from gptdesk.tasks.rewriting_prompts import RewritingPrompts
from gptdesk.tasks.run import TaskRun
from gptdesk.text.differences import Change, changes
from gptdesk.text.segmentation import sentences
from gptdesk.text.task_template import PROOFREAD, SIMPLIFY

_TASK = "rewrite"
_MOST_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class RewriteOptions:
    """In what manner."""

    style: str = option(
        PROOFREAD,
        OptionInfo(
            "Style",
            "Correct mistakes and change nothing else, or write shorter and simpler sentences.",
            choices=((PROOFREAD, "Proofread"), (SIMPLIFY, "Simplify")),
        ),
    )


class RewriteTask:
    """Rewrites a text in its own language."""

    id = _TASK
    label = "Rewrite"
    help = "correct or simplify a text, keeping its lines, numbers and links"
    options_type = RewriteOptions
    apply: Apply = "beside"

    def default_sampling(
        self,
        options: RewriteOptions,  # noqa: ARG002  part of the protocol
        profile: ModelProfile,
    ) -> Sampling:
        """The most probable words, repeated as often as the text repeats them."""
        task = Sampling(temperature=0.0, max_new_tokens=_MOST_TOKENS)
        return task.with_values(profile.advice(_TASK))

    def run(
        self, text: str, options: RewriteOptions, sampling: Sampling, ops: Operations
    ) -> Iterator[Event]:
        """Yield the rewritten text, each piece once it was checked.

        `Finished.result` has

        style, language: what was asked for, and the language of the text;
        alignment: for each line that is not blank, and each hard-wrapped paragraph, its first
            and last character in the text and those in the rewritten one, as four numbers;
        changes: the same for each stretch of words that differs;
        changed: in how many sentences of the text something does;
        notes: sentences about what was kept as it was, or taken back.

        Raises:
            OptionError: there is no text.
            ContextOverflowError: the model's context is too small for any text.
        """
        if not text.strip():
            raise OptionError("There is no text to rewrite.", "Select or paste a text first.")
        yield Started(task=_TASK)
        run, language = TaskRun(ops, sampling), detect(text)
        rewriter = Rewriter(run, RewritingPrompts(ops, options.style, language))
        writer = LineByLine(run, rewriter)
        written = []
        for event in writer.write(text):
            written.append(event.text)
            yield event
        found = list(_changes(text, "".join(written), writer.alignment))
        yield run.finished(
            {
                "style": options.style,
                "language": language,
                "alignment": writer.alignment,
                "changes": found,
                "changed": _changed_sentences(text, found),
                "notes": [*_doubts(language, ops), *rewriter.notes],
            }
        )


def _doubts(language: str, ops: Operations) -> list[str]:
    known = ops.profile.languages
    if not known or language in known:
        return []
    return [f"The text looks like {name(language)}, which this model was not made for."]


def _changes(text: str, written: str, alignment: Sequence[Change]) -> Iterator[Change]:
    """What differs within the lines that belong together."""
    for start, end, new_start, new_end in alignment:
        old, new = text[start:end], written[new_start:new_end]
        for a, b, c, d in changes(old, new) if old != new else ():
            yield start + a, start + b, new_start + c, new_start + d


def _changed_sentences(text: str, found: Sequence[Change]) -> int:
    """How many sentences have a change in them; what is put between two belongs to the second."""
    ends = [span.end for span in sentences(text)]
    numbers: set[int] = set()
    for start, end, _, _ in found:
        first, last = (bisect.bisect_right(ends, at) for at in (start, max(start, end - 1)))
        numbers.update(range(min(first, len(ends) - 1), min(last, len(ends) - 1) + 1))
    return len(numbers)
