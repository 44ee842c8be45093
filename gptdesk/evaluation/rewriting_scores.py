"""Measures of rewritten texts: repaired mistakes where they were proofread, BLEU where simplified."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from gptdesk.evaluation.edits import Correction, edit_measures
from gptdesk.evaluation.text_scores import translation_scores
from gptdesk.text.language import guess_language
from gptdesk.text.segmentation import sentences
from gptdesk.text.task_template import PROOFREAD


def rewriting_measures(
    corrections: Sequence[Correction], style: str
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Measures of texts rewritten in one style, and sacrebleu's signatures.

    A simplified text shares most of its words with its source, so BLEU is high for doing nothing:
    read it beside that of a copy, and beside the number of sentences.

    Raises:
        OptionError: the package sacrebleu is needed and not installed.
    """
    if style == PROOFREAD:
        return edit_measures(corrections), ()
    gold = [(one.gold,) for one in corrections]
    language = guess_language("\n".join(one.gold for one in corrections)) or "en"
    score = translation_scores([one.answer for one in corrections], gold, language)
    copied = translation_scores([one.text for one in corrections], gold, language)
    unchanged = [one.answer == one.text for one in corrections]
    measures = {
        "bleu": score.bleu,
        "bleu of a copy": copied.bleu,
        "left as it was": 100 * statistics.fmean(unchanged),
        "sentences": _sentences([one.answer for one in corrections]),
        "sentences of people": _sentences([one.gold for one in corrections]),
    }
    return measures, (score.bleu_signature,)


def _sentences(texts: Sequence[str]) -> float:
    """How many sentences a text has, on average."""
    return statistics.fmean(len(sentences(text)) for text in texts)
