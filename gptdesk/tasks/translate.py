"""Translate: paragraph by paragraph, so that line breaks, lists, links, code and numbers stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gptdesk.errors import OptionError
from gptdesk.generation.events import Event, Started
from gptdesk.generation.sampling import Sampling
from gptdesk.tasks.base import Apply, Operations
from gptdesk.tasks.languages import CHOICES, automatic_target, detect, name, require
from gptdesk.tasks.line_by_line import LineByLine
from gptdesk.tasks.options import OptionInfo, option
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.prompt_files import LANGUAGES
from gptdesk.tasks.run import TaskRun
from gptdesk.tasks.translation_prompts import TranslationPrompts
from gptdesk.tasks.translator import Translator

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
        translator = Translator(run, TranslationPrompts(ops, source, target))
        writer = LineByLine(run, translator)
        yield from writer.write(text)
        result = {"source": source, "target": target, "alignment": writer.alignment}
        yield run.finished({**result, "notes": translator.notes})


def _languages(text: str, options: TranslateOptions, ops: Operations) -> tuple[str, str]:
    source = detect(text) if options.source == "auto" else options.source
    target = automatic_target(source) if options.target == "auto" else options.target
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
