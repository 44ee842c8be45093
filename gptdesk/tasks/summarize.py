"""Summarize: a headline, a paragraph or points, of texts of any length.

A text within the context takes one prompt. A longer one is read in parts (map): the notes on
them, in order, are the text that is summarized (reduce), as often as it takes to fit.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from gptdesk.errors import OptionError
from gptdesk.generation.events import Event, Progress, Started, Text
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.answers import BULLET, Points, Shaper, Trimmer, collect_sentence, stream_answer
from gptdesk.tasks.base import Apply, Operations
from gptdesk.tasks.languages import CHOICES, detect, name, require
from gptdesk.tasks.options import OptionInfo, option
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.prompts import prompt_tokens
from gptdesk.tasks.reading import Reader
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.sections import Range, sections
from gptdesk.tasks.summary_prompts import SummaryPrompts
from gptdesk.text.prompt import Prompt

_TASK = "summarize"
_MOST_TOKENS = {"headline": 48, "paragraph": 200, "points": 320}


@dataclass(frozen=True, slots=True)
class SummarizeOptions:
    """What kind of summary."""

    form: str = option(
        "paragraph",
        OptionInfo(
            "Form",
            "One headline, one paragraph, or a list of points.",
            choices=(("headline", "Headline"), ("paragraph", "Paragraph"), ("points", "Points")),
        ),
    )
    points: int = option(
        3, OptionInfo("Points", "How many points the list has.", minimum=2, maximum=9)
    )
    language: str = option(
        "same",
        OptionInfo(
            "Language",
            "The language of the summary.",
            choices=(("same", "Same as the text"), *CHOICES),
        ),
    )


class SummarizeTask:
    """Summarizes a text."""

    id = _TASK
    label = "Summarize"
    help = "summarize a text of any length"
    options_type = SummarizeOptions
    apply: Apply = "beside"

    def default_sampling(self, options: SummarizeOptions, profile: ModelProfile) -> Sampling:
        """The most probable words, without loops."""
        task = Sampling(
            temperature=0.0,
            repetition_penalty=1.05,
            repetition_window=128,
            max_new_tokens=_MOST_TOKENS[options.form],
        )
        return task.with_values(profile.advice(_TASK))

    def run(
        self, text: str, options: SummarizeOptions, sampling: Sampling, ops: Operations
    ) -> Iterator[Event]:
        """Yield the summary.

        `Finished.result` has

        language, form: what was written;
        parts: the character ranges of `text` that were read one at a time;
        partials: what the model made of each part;
        notes: sentences about what did not go as asked.

        Raises:
            OptionError: there is no text, or the model does not know the language.
            ContextOverflowError: the model's context is too small for any text.
        """
        if not text.strip():
            raise OptionError("There is no text to summarize.", "Select or paste a text first.")
        yield Started(task=_TASK)
        language, notes = _language(text, options, ops)
        prompts = SummaryPrompts(ops, language, options.points)
        if prompts.style == "plain" and language != detect(text):
            notes.append("This model takes no instructions: it may write in the text's language.")
        run = TaskRun(ops, sampling)
        reader = Reader(run, prompts)
        write = _at_once
        if options.form == "points" and not prompts.lists_points:
            write = _one_by_one
        written = False
        for event in write(text, options, run, prompts, reader):
            written |= isinstance(event, Text)
            yield event
        if not written and not run.cancelled:
            notes.append("The model had nothing to say about this text.")
        result = {"language": language, "form": options.form, "notes": notes}
        yield run.finished({**result, "parts": reader.parts, "partials": reader.partials})


def _at_once(
    text: str, options: SummarizeOptions, run: TaskRun, prompts: SummaryPrompts, reader: Reader
) -> Iterator[Event]:
    """Write the summary after one prompt that holds the text or the notes on its parts."""
    parts = reader.plan(text)
    reader.total = len(parts)
    if len(parts) == 1:
        reader.record(parts[0], "")
        prompt = prompts.whole(text, options.form)
    else:
        material = yield from reader.notes(text, parts)
        yield reader.progress()
        prompt = prompts.combined(material, options.form)
    if run.cancelled:
        return
    shaper: Shaper = Trimmer(one_line=options.form == "headline" or prompts.style == "plain")
    if options.form == "points":
        shaper = Points(options.points)
    yield from stream_answer(run, prompt, shaper, _answer_values(run, prompt))


def _one_by_one(
    text: str, options: SummarizeOptions, run: TaskRun, prompts: SummaryPrompts, reader: Reader
) -> Iterator[Event]:
    """Write one sentence about each section of the text, for models that cannot write lists."""
    plans = [reader.plan(text[start:end], start) for start, end in sections(text, options.points)]
    reader.total = sum(map(len, plans))
    written: list[str] = []
    for parts in plans:
        point = yield from _point(text, parts, run, prompts, reader)
        if run.cancelled:
            return
        if point and point not in written:
            yield Text(("\n" if written else "") + BULLET + point)
            written.append(point)
    yield reader.progress()


def _point(
    text: str, parts: list[Range], run: TaskRun, prompts: SummaryPrompts, reader: Reader
) -> Generator[Progress, None, str]:
    if len(parts) == 1:
        yield reader.progress()
        section = text[parts[0][0] : parts[0][1]].strip()
    else:
        section = yield from reader.notes(text, parts)
    if run.cancelled or not section:
        return ""
    prompt = prompts.whole(section, "paragraph")
    point = yield from collect_sentence(run, prompt, _answer_values(run, prompt))
    run.end_part()
    if len(parts) == 1:
        reader.record(parts[0], point)
    return point


def _answer_values(run: TaskRun, prompt: Prompt) -> dict[str, int]:
    """Never more tokens than the context has room for, so that an answer ends as "length"."""
    room = run.ops.context_length - prompt_tokens(run.ops.tokenizer, prompt)
    return {"max_new_tokens": max(1, min(run.sampling.max_new_tokens, room))}


def _language(text: str, options: SummarizeOptions, ops: Operations) -> tuple[str, list[str]]:
    """The language to write in, and a note if it is not the one of the text."""
    if options.language != "same":
        require(ops, options.language, "language")
        return options.language, []
    found, known = detect(text), ops.profile.languages
    if not known or found in known:
        return found, []
    note = (
        f"The text looks like {name(found)}, which this model was not made for: "
        f"it was asked for {name(known[0])}."
    )
    return known[0], [note]
