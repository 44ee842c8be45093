"""Lets a model answer every item of a file through its task, and scores what it wrote."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.evaluation.edits import Correction
from gptdesk.evaluation.items import RewriteItem, SummaryItem, TranslationItem
from gptdesk.evaluation.rewriting_scores import rewriting_measures
from gptdesk.evaluation.text_scores import (
    ROUGE_NAMES,
    Rouge,
    in_wrong_language,
    repetition,
    translation_scores,
)
from gptdesk.generation.events import Finished, Progress
from gptdesk.text.language import guess_language
from gptdesk.text.segmentation import sentences

if TYPE_CHECKING:
    from gptdesk.session import Model


AnsweredItem = SummaryItem | TranslationItem | RewriteItem


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote about one item.

    Attributes:
        text: of the answer.
        reason: why it ended; "stop" if the model ended it.
        wanted_language: the code it should be in, "" if that is not known.
    """

    item: AnsweredItem
    text: str
    reason: str
    wanted_language: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person set for the tasks: values of their options, and of sampling."""

    options: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)


def answer_all(
    model: Model,
    items: Sequence[AnsweredItem],
    choices: Choices,
    cancel: CancelFlag = NEVER,
) -> Iterator[Progress | Answer]:
    """Yield an answer for each item, and progress in items; fewer answers if it is cancelled.

    Raises:
        OptionError: an option or sampling value does not exist.
        EngineError: the engine failed.
    """
    for number, item in enumerate(items, 1):
        answer = _answer(model, item, choices, cancel)
        if cancel.is_set():
            return
        yield answer
        yield Progress(stage="part", done=number, total=len(items))


def _answer(model: Model, item: AnsweredItem, choices: Choices, cancel: CancelFlag) -> Answer:
    options = dict(choices.options)
    if isinstance(item, TranslationItem):
        task, wanted = "translate", item.target
        options |= {"source": item.source, "target": item.target}
    elif isinstance(item, RewriteItem):
        task, wanted = "rewrite", guess_language(item.rewritten)
        options |= {"style": item.style}
    else:
        task = "summarize"
        asked = options.get("language", "same")
        wanted = guess_language(item.text) if asked == "same" else str(asked)
    pieces: list[str] = []
    reason = ""
    for event in model.run(task, item.text, options, choices.sampling, cancel):
        pieces.append(event.text)
        if isinstance(event, Finished):
            reason = event.reason
    return Answer(item, "".join(pieces).strip(), reason, wanted)


def summary_measures(answers: Sequence[Answer]) -> dict[str, float]:
    """Mean ROUGE of the answers, and of leading sentences that are as long as people's summaries.

    A text's first sentences are the classic baseline: many models do not beat them.
    """
    rouge = Rouge()
    pairs = [(a.text, a.item) for a in answers if isinstance(a.item, SummaryItem)]
    measures = _mean_rouge(rouge, [(text, item.references) for text, item in pairs])
    length = statistics.median(len(ref) for _, item in pairs for ref in item.references)
    leads = [(leading_sentences(item.text, int(length)), item.references) for _, item in pairs]
    baseline = _mean_rouge(rouge, leads)
    return measures | {f"{name} of the lead": value for name, value in baseline.items()}


def translation_measures(answers: Sequence[Answer]) -> tuple[dict[str, float], tuple[str, ...]]:
    """BLEU and chrF of each direction and of a copy of the source, and sacrebleu's signatures."""
    measures: dict[str, float] = {}
    signatures: dict[str, None] = {}
    directions: dict[str, list[tuple[str, TranslationItem]]] = {}
    for answer in answers:
        if isinstance(answer.item, TranslationItem):
            name = f"{answer.item.source}-{answer.item.target}"
            directions.setdefault(name, []).append((answer.text, answer.item))
    for name, those in directions.items():
        references, target = [item.references for _, item in those], name.rpartition("-")[2]
        score = translation_scores([text for text, _ in those], references, target)
        copied = translation_scores([item.text for _, item in those], references, target)
        measures |= {
            f"bleu {name}": score.bleu,
            f"chrf {name}": score.chrf,
            f"bleu {name} of a copy": copied.bleu,
            f"chrf {name} of a copy": copied.chrf,
        }
        signatures |= dict.fromkeys((score.bleu_signature, score.chrf_signature))
    return measures, tuple(signatures)


def rewrite_measures(answers: Sequence[Answer]) -> tuple[dict[str, float], tuple[str, ...]]:
    """The measures of each style, named after it where there are several, and signatures."""
    styles: dict[str, list[Correction]] = {}
    for answer in answers:
        if isinstance(answer.item, RewriteItem):
            one = Correction(answer.item.text, answer.item.rewritten, answer.text)
            styles.setdefault(answer.item.style, []).append(one)
    measures: dict[str, float] = {}
    signatures: tuple[str, ...] = ()
    for style, corrections in styles.items():
        found, signed = rewriting_measures(corrections, style)
        prefix = f"{style}: " if len(styles) > 1 else ""
        measures |= {f"{prefix}{name}": value for name, value in found.items()}
        signatures += signed
    return measures, signatures


def manners(answers: Sequence[Answer]) -> dict[str, float]:
    """How the answers behave, in percent of the answers; the last of the 4-grams of an answer."""
    count = len(answers)
    return {
        "ended by itself": 100 * sum(a.reason == "stop" for a in answers) / count,
        "empty": 100 * sum(not a.text for a in answers) / count,
        "wrong language": 100
        * sum(in_wrong_language(a.text, a.wanted_language) for a in answers)
        / count,
        "repeated 4-grams": 100 * statistics.fmean(repetition(a.text) for a in answers),
    }


def leading_sentences(text: str, length: int) -> str:
    """So many first sentences of `text` that their length comes nearest to `length` characters."""
    ends = [span.end for span in sentences(text)] or [len(text)]
    return text[: min(ends, key=lambda end: abs(end - length))].strip()


def as_row(answer: Answer) -> dict[str, Any]:
    """One answer as a JSON object, for a reader."""
    return {
        **dataclasses.asdict(answer.item),
        "answer": answer.text,
        "reason": answer.reason,
    }


def _mean_rouge(rouge: Rouge, pairs: Sequence[tuple[str, Sequence[str]]]) -> dict[str, float]:
    scores = [rouge.score(text, references) for text, references in pairs]
    return {name: statistics.fmean(score[name] for score in scores) for name in ROUGE_NAMES}
