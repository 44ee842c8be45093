"""Measures a model on files, each by the measures of its kind, and says how to get the same again."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from gptdesk.cancel import NEVER, CancelFlag
from gptdesk.errors import OptionError
from gptdesk.evaluation.answers import (
    Answer,
    AnsweredItem,
    Choices,
    answer_all,
    as_row,
    manners,
    rewrite_measures,
    summary_measures,
    translation_measures,
)
from gptdesk.evaluation.items import (
    Item,
    ItemFile,
    LabelItem,
    Prose,
    Selection,
    read_items,
)
from gptdesk.evaluation.labels import (
    Labelled,
    label_all,
    label_measures,
)
from gptdesk.evaluation.perplexity import Likelihood, measure_text
from gptdesk.generation.events import Progress
from gptdesk.training.labelling import Labelling

if TYPE_CHECKING:
    from gptdesk.session import Model


_LOOK, _LOOKS = 1 << 16, 64
"""Bytes that are read at one place of a file, and at how many places of a large one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSettings:
    """What is measured, and how.

    Attributes:
        selection: which items of the files.
        options: values of the tasks' options.
        sampling: values laid over the tasks' and the model's own.
        labelling: how labels are asked for.
    """

    selection: Selection = field(default_factory=Selection)
    options: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    labelling: Labelling = field(default_factory=Labelling)

    def __post_init__(self) -> None:
        for name in ("limit", "sample"):
            if getattr(self.selection, name) < 0:
                raise OptionError(f"--{name} must be 0 or more.", "0 means all.")


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came out of one file.

    Attributes:
        file: its name.
        sha256: of its bytes.
        kind: "prose", "summaries", "translations", "rewrites" or "labels".
        items: how many were measured.
        total: how many the file holds.
        complete: whether all that were asked for were measured.
        measures: name to value: percent, but for perplexity and bits per byte.
        signatures: of sacrebleu, where it computed something.
        rows: what the model said to each item, for a reader.
    """

    file: str
    sha256: str
    kind: str
    items: int
    total: int
    complete: bool
    measures: Mapping[str, float]
    signatures: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()


def evaluate(
    model: Model,
    paths: Sequence[Path],
    settings: EvaluationSettings,
    cancel: CancelFlag = NEVER,
) -> Iterator[Progress | FileReport]:
    """Yield a report for each file, and progress before it; a partial one if it is cancelled.

    All files are read first, so that a mistake in the last is told before the first is measured.

    Raises:
        DocumentError: a file cannot be read.
        OptionError: an option does not exist, or a package that a measure needs is missing.
        EngineError: the engine failed.
    """
    files = [read_items(path, settings.selection) for path in paths]
    for file in files:
        for event in _measure(model, file, settings, cancel):
            if isinstance(event, Progress):
                event = dataclasses.replace(event, detail=file.path.name)
            yield event
        if cancel.is_set():
            return


def facts(model: Model, settings: EvaluationSettings) -> dict[str, Any]:
    """All that the figures depend on besides the files."""
    info, adapter = model.info, model.adapter if model.adapter_enabled else None
    return {
        "model": model.path.name,
        "adapter": adapter.path.name if adapter else "",
        "fingerprint": _fingerprint(model),
        "engine": info.name,
        "device": info.device,
        "precision": info.precision,
        **dataclasses.asdict(settings.selection),
        "options": dict(settings.options),
        "sampling": dict(settings.sampling),
        "prompt": settings.labelling.prompt,
        "words": dict(settings.labelling.words),
    }


def _measure(
    model: Model, file: ItemFile, settings: EvaluationSettings, cancel: CancelFlag
) -> Iterator[Progress | FileReport]:
    match file.kind:
        case "prose":
            yield from _measure_prose(model, file, cancel)
        case "labels":
            yield from _measure_labels(model, file, settings.labelling, cancel)
        case _:
            choices = Choices(settings.options, settings.sampling)
            yield from _measure_answers(model, file, choices, cancel)


def _measure_prose(
    model: Model, file: ItemFile, cancel: CancelFlag
) -> Iterator[Progress | FileReport]:
    total, count = Likelihood(), 0
    for item in cast("Sequence[Prose]", file.items):
        for event in measure_text(model, item.text, cancel):
            if isinstance(event, Likelihood):
                total += event
            elif len(file.items) == 1:
                yield event
        if cancel.is_set():
            break
        count += 1
        if len(file.items) > 1:
            yield Progress(stage="part", done=count, total=len(file.items))
    if total.tokens:
        measures = {
            "bits per byte": total.bits_per_byte,
            "perplexity": total.perplexity,
            "tokens": float(total.tokens),
            "bytes": float(total.utf8_bytes),
        }
        yield _report(file, count, measures)


def _measure_answers(
    model: Model, file: ItemFile, choices: Choices, cancel: CancelFlag
) -> Iterator[Progress | FileReport]:
    items = cast("Sequence[AnsweredItem]", file.items)
    answers: list[Answer] = []
    for event in answer_all(model, items, choices, cancel):
        if isinstance(event, Answer):
            answers.append(event)
        else:
            yield event
    if not answers:
        return
    signatures: tuple[str, ...] = ()
    if file.kind == "summaries":
        measures = summary_measures(answers)
    elif file.kind == "rewrites":
        measures, signatures = rewrite_measures(answers)
    else:
        measures, signatures = translation_measures(answers)
    rows = tuple(as_row(answer) for answer in answers)
    report = _report(file, len(answers), measures | manners(answers))
    yield dataclasses.replace(report, signatures=signatures, rows=rows)


def _measure_labels(
    model: Model, file: ItemFile, labelling: Labelling, cancel: CancelFlag
) -> Iterator[Progress | FileReport]:
    labelled: list[Labelled] = []
    items = cast("Sequence[LabelItem]", file.items)
    for event in label_all(model, items, labelling, cancel):
        if isinstance(event, Labelled):
            labelled.append(event)
        else:
            yield event
    if labelled:
        rows = tuple(dataclasses.asdict(one) for one in labelled)
        report = _report(file, len(labelled), label_measures(labelled))
        yield dataclasses.replace(report, rows=rows)


def _report(file: ItemFile, count: int, measures: Mapping[str, float]) -> FileReport:
    items: Sequence[Item] = file.items
    return FileReport(
        file=file.path.name,
        sha256=file.sha256,
        kind=file.kind,
        items=count,
        total=file.total,
        complete=count == len(items),
        measures=measures,
    )


def _fingerprint(model: Model) -> str:
    """Changes with the model and its adapter: names and sizes of their files, and what is in them.

    Of a large file some places are read: another training leaves none of them as it was.
    """
    digest = hashlib.sha256(repr(model.config).encode())
    places = [model.path]
    if model.adapter is not None and model.adapter_enabled:
        places.append(model.adapter.path)
    for place in places:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        for path in files:
            if path.is_file():
                digest.update(f"{path.name} {path.stat().st_size}\n".encode())
                for part in _parts(path):
                    digest.update(part)
    return digest.hexdigest()[:16]


def _parts(path: Path) -> Iterator[bytes]:
    """The beginning of the file and of as many other stretches as `_LOOKS` says."""
    with path.open("rb") as file:
        for start in range(0, path.stat().st_size, max(_LOOK, path.stat().st_size // _LOOKS)):
            file.seek(start)
            yield file.read(_LOOK)
