"""What a fine-tune brought, measured on text that it has not seen, and whether it copies.

held-out text ─► base model, tuned model ─► perplexity, bits per byte
beginnings ────► tuned model ─► samples ─► longest runs of words shared with what was learnt
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
from collections.abc import Generator, Iterator
from pathlib import Path

from gptdesk.cancel import NEVER, CancelFlag, raise_if_cancelled
from gptdesk.checkpoints.folder import ModelFolder, resolve_folder
from gptdesk.errors import Cancelled, GptDeskError
from gptdesk.evaluation.copying import Copied, copied_runs
from gptdesk.evaluation.finetune_page import Report, Sample, as_data, as_page
from gptdesk.evaluation.perplexity import Likelihood, measure_text
from gptdesk.evaluation.task_questions import TaskQuestions, questions_for
from gptdesk.generation.sampling import Sampling
from gptdesk.session import Model, load_model
from gptdesk.text.tokenizer import Tokenizer
from gptdesk.training.events import (
    FinetuneReport,
    StageProgress,
    StageStarted,
    TrainingEvent,
    TrainingFinished,
    TrainingWarning,
)
from gptdesk.training.finetune_lengths import row_tokens
from gptdesk.training.finetune_settings import FinetuneSettings
from gptdesk.training.finetune_text import TuningText
from gptdesk.training.instruction import Example, ExampleReader
from gptdesk.training.work_folder import write_json, write_text

REPORT_PAGE, REPORT_DATA = "REPORT.md", "report.json"

_STAGE = "report"
_MOST_CHARS = 80_000
_MOST_ANSWERS = 200
_BEGINNING = 300
_PROMPTS = 3
_SAMPLE_TOKENS = 100


_GREEDY = Sampling(temperature=0.0, max_new_tokens=_SAMPLE_TOKENS)
_MANNERS: dict[str, dict[str, float | int]] = {
    # Nothing that holds it off repeating: a model that knows a text by heart is to show it.
    "greedy": {
        "temperature": 0.0,
        "repetition_penalty": 1.0,
        "dry_multiplier": 0.0,
        "max_new_tokens": _SAMPLE_TOKENS,
    },
    "sampled": {"seed": 1, "max_new_tokens": _SAMPLE_TOKENS},
}


def finetune_and_report(
    settings: FinetuneSettings, cancel: CancelFlag = NEVER
) -> Iterator[TrainingEvent]:
    """Fine-tune, then tell what it brought; stopped, the same call goes on where it was.

    Yields:
        Events; the last ones are `FinetuneReport` and `TrainingFinished`, or only the latter where
        there is no result to judge.

    Raises:
        GptDeskError: as `finetune` and `report_on`.
    """
    from gptdesk.training.finetune import finetune  # imports torch

    def questions(folder: ModelFolder, tokenizer: Tokenizer, context: int) -> TaskQuestions:
        return _questions(settings, folder, tokenizer, context)

    for event in finetune(settings, cancel, questions):
        if isinstance(event, TrainingFinished) and event.reason in ("done", "time"):
            try:
                yield from report_on(settings, event, cancel)
            except Cancelled:
                event = dataclasses.replace(event, reason="cancelled")
            except GptDeskError as error:
                yield TrainingWarning(
                    f"The result is saved, but what it brought cannot be told: {error.title}"
                )
        yield event


def report_on(
    settings: FinetuneSettings, finished: TrainingFinished, cancel: CancelFlag = NEVER
) -> Iterator[TrainingEvent]:
    """Measure a result that was saved, and write REPORT.md and report.json beside it.

    Yields:
        Progress, then one `FinetuneReport`.

    Raises:
        GptDeskError: the result cannot be loaded, or the report cannot be written.
        Cancelled: the person stopped it.
    """
    yield StageStarted(_STAGE, "before and after, on text held out")
    folder = resolve_folder(settings.model)
    text = TuningText(settings, cancel)
    with contextlib.closing(_loaded(settings, cancel, tuned=False)) as model:
        held = _HeldOut(settings, text, folder, model.tokenizer)
        before = yield from held.measure(model, "before", cancel)
    with contextlib.closing(_loaded(settings, cancel, tuned=True)) as model:
        after, samples = yield from _judge(model, held, text, cancel)
    yield StageProgress(_STAGE, 0, 0, "comparing samples with the training text")

    def learnt() -> Iterator[str]:
        for one in itertools.chain(text.documents("train"), text.answers("train")):
            raise_if_cancelled(cancel)
            yield one

    report = Report(
        model=str(settings.model),
        method=settings.method,
        out=str(settings.out),
        steps=finished.step,
        loss=finished.loss,
        before=before,
        after=after,
        measured=held.description,
        samples=samples,
        copied=copied_runs([sample.text for sample in samples], learnt),
    )
    yield _write(report, settings.out)


def _questions(
    settings: FinetuneSettings, folder: ModelFolder, tokenizer: Tokenizer, context: int
) -> TaskQuestions:
    """What puts the questions as these settings say."""
    both, labelling = settings.both_directions, settings.labelling
    return questions_for(folder, tokenizer, context, both_directions=both, labelling=labelling)


def _loaded(settings: FinetuneSettings, cancel: CancelFlag, *, tuned: bool) -> Model:
    """The model as it was, or with what it has learnt."""
    is_lora = settings.method == "lora"
    return load_model(
        settings.out if tuned and not is_lora else settings.model,
        engine="torch",
        device=settings.device,
        threads=settings.threads,
        adapter=settings.out if tuned and is_lora else None,
        cancel=cancel,
    )


class _HeldOut:
    """What the models are measured on: prose, and answers to questions."""

    def __init__(
        self,
        settings: FinetuneSettings,
        text: TuningText,
        folder: ModelFolder,
        tokenizer: Tokenizer,
    ) -> None:
        self._prose = list(_first_chars(text.documents("validation"), _MOST_CHARS))
        context = row_tokens(settings, folder.config)
        render = _questions(settings, folder, tokenizer, context)
        reader = ExampleReader(tokenizer, render, context)
        answers = text.examples("validation", reader)
        self.answers = list(itertools.islice(answers, _MOST_ANSWERS))
        self._tokenizer = tokenizer

    @property
    def description(self) -> str:
        """What this is, in words."""
        parts = []
        if self._prose:
            chars = sum(map(len, self._prose))
            documents = _counted(len(self._prose), "document")
            parts.append(f"{chars:,} characters of prose from {documents}")
        if self.answers:
            parts.append(_counted(len(self.answers), "answer"))
        return " and ".join(parts) or "nothing was held out"

    @property
    def beginnings(self) -> list[str]:
        """The first lines of some of the documents."""
        return [_beginning(text) for text in self._prose[:_PROMPTS]]

    def measure(
        self, model: Model, when: str, cancel: CancelFlag
    ) -> Generator[TrainingEvent, None, Likelihood]:
        """The likelihood of all of it.

        Raises:
            Cancelled: the person stopped it.
        """
        total, count = Likelihood(), len(self._prose) + len(self.answers)
        for done, text in enumerate(self._prose):
            yield StageProgress(_STAGE, done, count, f"reading, {when}")
            for event in measure_text(model, text, cancel):
                if isinstance(event, Likelihood):
                    total += event
            raise_if_cancelled(cancel)
        for done, example in enumerate(self.answers, len(self._prose)):
            yield StageProgress(_STAGE, done, count, f"reading, {when}")
            total += self._measure_answer(model, example, cancel)
        return total

    def _measure_answer(self, model: Model, example: Example, cancel: CancelFlag) -> Likelihood:
        scores = model.log_probabilities(example.ids, cancel)[example.answer_start - 1 :]
        answer = self._tokenizer.decode(example.ids[example.answer_start :])
        return Likelihood(-float(scores.sum()), len(scores), len(answer.encode("utf-8")))


def _judge(
    model: Model, held: _HeldOut, text: TuningText, cancel: CancelFlag
) -> Generator[TrainingEvent, None, tuple[Likelihood, list[Sample]]]:
    """Measure the tuned model, and let it write."""
    likelihood = yield from held.measure(model, "after", cancel)
    learnt = [_beginning(one) for one in itertools.islice(text.documents("train"), _PROMPTS)]
    prompts = [("held-out text", prompt) for prompt in held.beginnings]
    prompts += [("training text", prompt) for prompt in learnt]
    samples: list[Sample] = []
    for done, (source, prompt) in enumerate(prompts):
        yield StageProgress(_STAGE, done, len(prompts), "writing samples")
        for manner, sampling in _MANNERS.items():
            written = _continue(model, prompt, sampling, cancel)
            samples.append(Sample(source, manner, prompt, written))
    for example in held.answers[:_PROMPTS]:
        asked = example.ids[: example.answer_start]
        tokens = model.generate(asked, _GREEDY, cancel)
        written = "".join(token.text for token in tokens)
        shown = model.tokenizer.decode(asked, skip_special=False)
        samples.append(Sample("held-out question", "greedy", shown, written))
    raise_if_cancelled(cancel)
    return likelihood, samples


def _continue(
    model: Model, prompt: str, sampling: dict[str, float | int], cancel: CancelFlag
) -> str:
    events = model.run("continue", prompt, sampling=sampling, cancel=cancel)
    return "".join(event.text for event in events)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _first_chars(documents: Iterator[str], most: int) -> Iterator[str]:
    """Documents until so many characters are full; the last is cut."""
    for text in documents:
        if most <= 0:
            return
        yield text[:most]
        most -= len(text)


def _beginning(text: str) -> str:
    """The beginning of a text, up to the end of a word."""
    if len(text) <= _BEGINNING:
        return text[: len(text) // 2].rstrip() or text
    head = text[:_BEGINNING]
    return (head.rpartition(" ")[0] or head).rstrip()


def _write(report: Report, out: Path) -> FinetuneReport:
    """Write both files.

    Raises:
        TrainingError: the folder cannot be written or the disk is full.
    """
    write_json(out / REPORT_DATA, as_data(report))
    write_text(out / REPORT_PAGE, as_page(report))
    before, after = report.before, report.after
    longest = report.copied[0] if report.copied else Copied(0, 0, "")
    return FinetuneReport(
        path=str(out / REPORT_PAGE),
        method=report.method,
        perplexity_before=_number(before.perplexity),
        perplexity_after=_number(after.perplexity),
        bits_per_byte_before=_number(before.bits_per_byte),
        bits_per_byte_after=_number(after.bits_per_byte),
        held_out_tokens=after.tokens,
        copied_words=longest.words,
        copied_text=longest.text,
        alarm=report.alarm,
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
