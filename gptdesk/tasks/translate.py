"""Translate: paragraph by paragraph, so that line breaks, lists, links, code and numbers stay."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from gptdesk.errors import OptionError
from gptdesk.generation.events import Event, Progress, Started, Text
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.base import Apply, Operations
from gptdesk.tasks.languages import CHOICES, detect, name, require
from gptdesk.tasks.markup import Line, lines
from gptdesk.tasks.options import OptionInfo, option
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.prompt_files import LANGUAGES
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.translation_prompts import TranslationPrompts
from gptdesk.tasks.translator import Translator
from gptdesk.tasks.wrapping import blocks, broken, joined

_TASK = "translate"
_MOST_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class TranslateOptions:
    """From which language into which."""

    source: str = option(
        "auto",
        OptionInfo("From", "The language of the text.", choices=(("auto", "Detect"), *CHOICES)),
    )
    target: str = option(
        "auto",
        OptionInfo(
            "To",
            "The language to translate into; by itself Chinese into English, others into Chinese.",
            choices=(("auto", "Automatic"), *CHOICES),
        ),
    )


class TranslateTask:
    """Translates a text."""

    id = _TASK
    label = "Translate"
    help = "translate a text, keeping its lines, numbers and links"
    options_type = TranslateOptions
    apply: Apply = "beside"

    def default_sampling(
        self,
        options: TranslateOptions,  # noqa: ARG002  part of the protocol
        profile: ModelProfile,
    ) -> Sampling:
        """The most probable words: a translation has little to choose."""
        task = Sampling(temperature=0.0, max_new_tokens=_MOST_TOKENS)
        return task.with_values(profile.advice(_TASK))

    def run(
        self, text: str, options: TranslateOptions, sampling: Sampling, ops: Operations
    ) -> Iterator[Event]:
        """Yield the translation, each piece once it was checked.

        `Finished.result` has

        source, target: the languages;
        alignment: for each line that is not blank, and each hard-wrapped paragraph, its first
            and last character in the text and those in the translation, as four numbers;
        notes: sentences about what had to be put right.

        Raises:
            OptionError: there is no text, both languages are the same, or the model does not
                know one of them.
            ContextOverflowError: the model's context is too small for any text.
        """
        if not text.strip():
            raise OptionError("There is no text to translate.", "Select or paste a text first.")
        yield Started(task=_TASK)
        source, target = _languages(text, options, ops)
        run = TaskRun(ops, sampling)
        translation = _Translation(run, Translator(run, TranslationPrompts(ops, source, target)))
        yield from translation.write(list(blocks(list(lines(text)))))
        result = {"source": source, "target": target, "alignment": translation.alignment}
        yield run.finished({**result, "notes": translation.translator.notes})


def _languages(text: str, options: TranslateOptions, ops: Operations) -> tuple[str, str]:
    source = detect(text) if options.source == "auto" else options.source
    target = options.target
    if target == "auto":
        target = "en" if source == "zh" else "zh"
    if source == target:
        raise OptionError(
            f"The text is {name(source)} already."
            if options.source == "auto"
            else f"Both languages are {name(source)}.",
            "Choose another language to translate into, or correct the language of the text.",
        )
    if source not in LANGUAGES:
        raise OptionError(
            f"The text seems to be in a language ({source}) that gptdesk does not translate.",
            "Choose the language of the text if this is wrong.",
        )
    require(ops, source, "source language")
    require(ops, target, "target language")
    return source, target


class _Translation:
    """Writes line after line and keeps track of where each went.

    Attributes:
        alignment: (source start, source end, target start, target end) of each line.
    """

    def __init__(self, run: TaskRun, translator: Translator) -> None:
        self._run = run
        self.translator = translator
        self.alignment: list[tuple[int, int, int, int]] = []
        self._written = 0
        self._pending = ""
        self._known: dict[str, str] = {}

    def write(self, source: list[list[Line]]) -> Iterator[Event]:
        """Yield the events of all blocks of lines; ends early when the person stops."""
        total, done = sum(bool(block[0].body) for block in source), 0
        for block in source:
            if block[0].body:
                yield Progress(stage="part", done=done, total=total)
                done += 1
            start = self._written + len(self._pending)
            yield from self._wrapped(block) if len(block) > 1 else self._single(block[0])
            if self._run.cancelled:
                return
            if (block[0].marker + block[0].body).strip():
                end = self._written + len(self._pending)
                self.alignment.append((block[0].start, block[-1].end, start, end))
            self._pending += block[-1].line_break
            self.translator.line += len(block)
        yield from self._show("")
        yield Progress(stage="part", done=done, total=total)

    def _single(self, line: Line) -> Iterator[Event]:
        self._pending += line.marker
        if line.body:
            yield from self._words(line.body, show=True)
        self._pending += line.tail

    def _wrapped(self, block: list[Line]) -> Iterator[Event]:
        """Translate a hard-wrapped paragraph as one text and break it into lines again."""
        text = yield from self._words(joined(block), show=False)
        if self._run.cancelled:
            return
        parts = [
            line.marker + part + line.tail
            for line, part in zip(block, broken(text, block), strict=True)
        ]
        for line, part in zip(block, parts[:-1], strict=False):
            self._pending += part + line.line_break
        yield from self._show(parts[-1])

    def _words(self, body: str, *, show: bool) -> Generator[Event, None, str]:
        """Translate the words of a line; returns them, and yields them piece by piece.

        A line seen before is not translated again.
        """
        if body in self._known:
            yield from self._show(self._known[body]) if show else ()
            return self._known[body]
        joiner, whole = self.translator.joiner(), ""
        for piece in self.translator.pieces(body):
            text = piece.text
            if not piece.literal:
                text = yield from self.translator.translate(text)
            if self._run.cancelled:
                return whole
            shown = joiner.push(piece.text, text)
            yield from self._show(shown) if show else ()
            whole += shown
        rest = joiner.flush()
        yield from self._show(rest) if show else ()
        self._known[body] = whole + rest
        return whole + rest

    def _show(self, text: str) -> Generator[Text, None, None]:
        """Show text together with the marks and line breaks that were waiting for it.

        They wait so that a stopped translation does not end in an empty list item.
        """
        shown = self._pending + text
        self._pending = ""
        self._written += len(shown)
        if shown:
            yield Text(shown)
