"""What a run of training is called, in the words of somebody who has never trained anything."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from gptdesk.training.events import FinetuneReport, StepDone, TrainingFinished
from gptdesk.ui.numbers import grouped

ENOUGH_CHARACTERS = 30_000
"""About 5,000 words: below that a model hardly picks up a style."""


def stage_words(stage: str) -> str:
    """What the run does now."""
    translate = QCoreApplication.translate
    words = {
        "start": translate("training", "Starting…"),
        "examples": translate("training", "Reading your documents…"),
        "finetune": translate("training", "Learning from your documents"),
        "save": translate("training", "Saving what was learnt…"),
        "report": translate("training", "Measuring what was learnt…"),
        "stopping": translate("training", "Stopping, and saving what was learnt…"),
    }
    return words.get(stage, translate("training", "Working…"))


def step_words(event: StepDone) -> str:
    """How fast it goes and how long it takes."""
    translate = QCoreApplication.translate
    parts = [translate("training", "{0} tokens/s").format(grouped(round(event.tokens_per_second)))]
    if event.seconds_left is not None:
        parts.insert(0, left_words(event.seconds_left))
    return "  ·  ".join(parts)


def left_words(seconds: float) -> str:
    """Time that is left, no more precise than an estimate can be."""
    translate = QCoreApplication.translate
    if seconds < 50:
        return translate("training", "less than a minute left")
    minutes = max(1, round(seconds / 60))
    if minutes == 1:
        return translate("training", "about a minute left")
    if minutes < 120:
        return translate("training", "about {0} minutes left").format(minutes)
    return translate("training", "about {0} hours left").format(round(minutes / 60))


def ending_title(event: TrainingFinished) -> str:
    """How a run that did not fail came to its end."""
    translate = QCoreApplication.translate
    return {
        "done": translate("training", "The model has learnt from your documents."),
        "time": translate("training", "The model has learnt from your documents."),
        "cancelled": translate("training", "Stopped."),
        "diverged": translate("training", "Learning went wrong and was stopped."),
    }[event.reason]


def ending_hint(event: TrainingFinished) -> str:
    """What follows from the way a run ended; "" where nothing does."""
    translate = QCoreApplication.translate
    return {
        "done": "",
        "time": translate("training", "The time was up. More time would let it learn more."),
        "cancelled": translate(
            "training", "What was learnt so far is kept: it can go on from there at any time."
        ),
        "diverged": translate(
            "training",
            "The loss was no longer a number. The last good state is kept; other documents or"
            " another method may do better.",
        ),
    }[event.reason]


def report_words(report: FinetuneReport) -> str:
    """Whether the model foresees the writer's text better than before."""
    translate = QCoreApplication.translate
    before, after = report.perplexity_before, report.perplexity_after
    if before is None or after is None:
        return translate(
            "training", "There was too little text to hold pages back, so nothing was measured."
        )
    figures = translate("training", "perplexity {0} → {1}").format(*_figures(before, after))
    if after < 0.995 * before:
        text = translate(
            "training",
            "On pages it has never seen, it now foresees your words better: {0}, {1} lower.",
        )
        return text.format(figures, percent(1 - after / before))
    if after <= 1.005 * before:
        text = translate(
            "training", "On pages it has never seen, it foresees your words as before: {0}."
        )
    else:
        text = translate(
            "training",
            "On pages it has never seen, it foresees your words worse than before: {0}. More or"
            " more varied text may help.",
        )
    return text.format(figures)


def copied_words(report: FinetuneReport) -> str:
    """The longest run of words that it repeats from the training text."""
    translate = QCoreApplication.translate
    if not report.copied_words:
        return translate("training", "What it wrote for a test repeats nothing of your text.")
    text = translate(
        "training", "The longest passage it repeated from your text in a test: {0} words, “{1}”."
    )
    return text.format(report.copied_words, _shortened(report.copied_text))


def percent(share: float) -> str:
    """0.41 as "41 %", with a space that does not break."""
    return f"{round(100 * share)}\u00a0%"


def _figures(before: float, after: float) -> list[str]:
    """Both with a decimal unless both are large, so that they can be compared."""
    if min(before, after) >= 100:
        return [grouped(round(before)), grouped(round(after))]
    return [f"{before:.1f}", f"{after:.1f}"]


def _shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else f"{text[:most].rsplit(' ', 1)[0]} …"
