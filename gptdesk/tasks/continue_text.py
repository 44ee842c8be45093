"""Continue: goes on where the writer stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gptdesk.errors import OptionError
from gptdesk.generation.events import Event, Started, Text, Token
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.base import Apply, Operations
from gptdesk.tasks.options import OptionInfo, option
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.prompts import plain_prompt, prompt_tokens
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.window import window_start
from gptdesk.text.prompt import Piece, Prompt
from gptdesk.text.segmentation import sentences
from gptdesk.text.task_template import template_prompt

_TASK = "continue"

# At most so many tokens; the text ends earlier, where a sentence or paragraph does.
_MOST_TOKENS = {"sentence": 80, "paragraph": 240, "page": 600}
# From this share of the tokens on, the next end of a sentence ends the text. Running on to it
# instead of trimming back means that every token can be shown the moment it comes.
_LONG_ENOUGH = 0.7
_SENTENCE_CONTEXT = 300
_PARAGRAPH = re.compile(r"\S[^\n]*\n")


@dataclass(frozen=True, slots=True)
class ContinueOptions:
    """How far to go on."""

    length: str = option(
        "paragraph",
        OptionInfo(
            "Length",
            "How much to write: the end of the sentence, of the paragraph, or about a page.",
            choices=(("sentence", "Sentence"), ("paragraph", "Paragraph"), ("page", "Page")),
        ),
    )


class ContinueTask:
    """Continues the text before the cursor."""

    id = _TASK
    label = "Continue"
    help = "go on writing where a text ends"
    options_type = ContinueOptions
    apply: Apply = "insert"

    def default_sampling(self, options: ContinueOptions, profile: ModelProfile) -> Sampling:
        """Varied prose without loops; the chosen length decides over the maker's advice."""
        task = Sampling(
            temperature=0.8,
            top_k=40,
            top_p=0.92,
            repetition_penalty=1.1,
            repetition_window=256,
        )
        advice = profile.advice(_TASK)
        return task.with_values({**advice, "max_new_tokens": _MOST_TOKENS[options.length]})

    def run(
        self, text: str, options: ContinueOptions, sampling: Sampling, ops: Operations
    ) -> Iterator[Event]:
        """Yield the continuation. `Finished.result["window"]` is the range of `text` it saw.

        When the context is full before the text is long enough, the window moves on.

        Raises:
            OptionError: the text is empty and the model has no token to begin a text with.
        """
        yield Started(task=_TASK)
        run = TaskRun(ops, sampling)
        writer = _Writer(text, options.length, sampling.max_new_tokens)
        window = (0, len(text))
        while writer.room > 0 and not run.cancelled:
            writer.skip_typed_spaces()
            prompt, seen = _prompt(text + writer.written, writer.room, ops)
            if not writer.written:
                window = (min(seen, len(text)), len(text))
            room = min(writer.room, ops.context_length - prompt_tokens(ops.tokenizer, prompt))
            yield from _write(run, prompt, room, writer)
            if run.reason not in {"length", "context"} or writer.complete:
                break
        yield run.finished({"window": window})


def _write(run: TaskRun, prompt: Prompt, room: int, writer: _Writer) -> Iterator[Event]:
    for item in run.generate(prompt, {"max_new_tokens": max(1, room)}):
        if not isinstance(item, Token):
            yield item
            continue
        shown = writer.push(item.text)
        if shown:
            yield Text(shown)
        if writer.complete:
            run.enough()


def _prompt(text: str, room: int, ops: Operations) -> tuple[Prompt, int]:
    """The prompt for going on after `text`, and where in `text` its window begins.

    Chat models continue plainly too: their template would make them answer instead.
    """
    # A space at the end would be a token of its own, after which a model hardly finds the words
    # it knows as " word": the space goes and `_Writer` drops it from the answer.
    seen_end = text.rstrip(" \t")
    if not seen_end:
        return _opening(ops), len(text)
    template = ops.profile.tasks[_TASK].template if _TASK in ops.profile.tasks else "{text}"
    empty = template_prompt(template, "", {})
    overhead = prompt_tokens(ops.tokenizer, empty) if empty else 1
    budget = ops.context_length - overhead - min(room, ops.context_length // 2)
    start = window_start(seen_end, ops.tokenizer, max(1, budget))
    visible = seen_end[start:]
    if template == "{text}":
        return plain_prompt(template, visible), start
    return template_prompt(template, visible, {}), start


def _opening(ops: Operations) -> Prompt:
    """What a text begins after, for a model asked to write into an empty document."""
    if _TASK in ops.profile.tasks:
        prompt = template_prompt(ops.profile.tasks[_TASK].template, "", {})
    else:
        prompt = tuple(
            Piece(ops.tokenizer.decode([token], skip_special=False), control=True)
            for token in sorted(ops.tokenizer.end_ids)[:1]
        )
    if not prompt:
        raise OptionError("There is no text to continue.", "Write a few words first.")
    return prompt


class _Writer:
    """Decides what of the generated text is kept and when it is enough.

    Attributes:
        written: all text kept so far.
        room: tokens that may still come.
        complete: whether the text has reached its end.
    """

    def __init__(self, text: str, length: str, most_tokens: int) -> None:
        self._length = length
        self._text = text
        # Enough of the writer's last line to know whether a full stop ends a sentence.
        self._before = text[text.rfind("\n") + 1 :][-_SENTENCE_CONTEXT:]
        self._typed_spaces = ""
        self._few_tokens = 0 if length == "sentence" else most_tokens * _LONG_ENOUGH
        self._most_tokens = most_tokens
        self.room = most_tokens
        self.written = ""
        self._shown = 0
        self.complete = False

    def skip_typed_spaces(self) -> None:
        """The prompt leaves out the spaces at its end: drop them from what comes next."""
        text = self._text + self.written
        self._typed_spaces = text[len(text.rstrip(" \t")) :]

    def push(self, text: str) -> str:
        """Take the text of one token; return what can be shown.

        White space waits for the word after it: at the end it would be in the writer's way.
        """
        self.room -= 1
        self.written += self._without_typed_spaces(text)
        end = self._end()
        if end is not None:
            self.complete = True
            self.written = self.written[:end]
        before, self._shown = self._shown, max(self._shown, len(self.written.rstrip()))
        return self.written[before : self._shown]

    def _without_typed_spaces(self, text: str) -> str:
        while text and self._typed_spaces and text[0] == self._typed_spaces[0]:
            text, self._typed_spaces = text[1:], self._typed_spaces[1:]
        if text:
            self._typed_spaces = ""
        return text

    def _end(self) -> int | None:
        """Where the text is to end, once that is known."""
        if self._length != "page":
            paragraph = _PARAGRAPH.search(self.written)
            if paragraph:
                return paragraph.end() - 1
        enough = self._most_tokens - self.room >= self._few_tokens
        return self._sentence_end() if enough else None

    def _sentence_end(self) -> int | None:
        """End of the first sentence that another follows and that is not yet passed."""
        line = self.written.rfind("\n") + 1
        before = "" if line else self._before
        paragraph = before + self.written[line:]
        for span in sentences(paragraph)[:-1]:
            end = len(paragraph[: span.end].rstrip()) - len(before) + line
            if end >= max(1, self._shown):
                return end
        return None
