"""Scores of written texts against people's: ROUGE, BLEU, chrF, and signs of trouble."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gptdesk.errors import OptionError
from gptdesk.text.differences import CJK
from gptdesk.text.language import guess_language

ROUGE_NAMES = ("rouge1", "rouge2", "rougeL")
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+")
_HAS_CJK = re.compile(f"[{CJK}]")
_REPEATED = 4


@dataclass(frozen=True, slots=True)
class Translated:
    """BLEU and chrF of a whole file, each with the signature that says how it was computed."""

    bleu: float
    chrf: float
    bleu_signature: str
    chrf_signature: str


class CharacterTokenizer:
    """Chinese and Japanese by the character, all else by the word, in lower case.

    rouge-score's own tokenizer keeps a-z and 0-9 only: a Chinese summary would have no token.
    """

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text."""
        return [match.group().lower() for match in _WORD.finditer(text)]


class Rouge:
    """ROUGE-1, -2 and -L (Lin 2004), F-measure in percent, the best over several references.

    English and other texts in words: rouge-score's tokenizer with Porter's stemmer, as papers
    report it. Texts whose reference has Chinese or Japanese in it: `CharacterTokenizer`.

    Raises:
        OptionError: the package rouge-score is not installed.
    """

    def __init__(self) -> None:
        try:
            from rouge_score.rouge_scorer import RougeScorer
        except ImportError as error:
            raise _missing("rouge-score") from error
        self._words = RougeScorer(list(ROUGE_NAMES), use_stemmer=True)
        self._characters = RougeScorer(list(ROUGE_NAMES), tokenizer=CharacterTokenizer())

    def score(self, answer: str, references: Sequence[str]) -> dict[str, float]:
        """One answer's scores, by the names in `ROUGE_NAMES`."""
        scorer = self._characters if _HAS_CJK.search("".join(references)) else self._words
        best = scorer.score_multi(list(references), answer)
        return {name: 100 * best[name].fmeasure for name in ROUGE_NAMES}


def translation_scores(
    answers: Sequence[str], references: Sequence[Sequence[str]], target: str
) -> Translated:
    """Corpus BLEU (Papineni et al. 2002) and chrF (Popović 2015) by sacrebleu.

    Args:
        answers: one for each item.
        references: of each item, one or several.
        target: code of the language, which decides about BLEU's tokenizer.

    Raises:
        OptionError: the package sacrebleu is not installed.
    """
    try:
        from sacrebleu.metrics.bleu import BLEU
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise _missing("sacrebleu") from error
    most = max(map(len, references))
    # sacrebleu wants the first references of all items, then the second ones; None for no more.
    streams: list[Any] = [
        [refs[n] if n < len(refs) else None for refs in references] for n in range(most)
    ]
    bleu, chrf = BLEU(tokenize=_bleu_tokenizer(target)), CHRF()
    scores: list[Any] = [metric.corpus_score(list(answers), streams) for metric in (bleu, chrf)]
    return Translated(
        scores[0].score,
        scores[1].score,
        str(bleu.get_signature()),
        str(chrf.get_signature()),
    )


def repetition(text: str) -> float:
    """Share of word 4-grams that came before in the text (Welleck et al. 2020, arXiv:1908.04319).

    Chinese and Japanese count by the character.
    """
    words = CharacterTokenizer().tokenize(text)
    grams = [tuple(words[at : at + _REPEATED]) for at in range(len(words) - _REPEATED + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def in_wrong_language(answer: str, wanted: str) -> bool:
    """Whether a text is plainly in another language; no answer, or a short one, is not."""
    found = guess_language(answer)
    return bool(found and wanted and found != wanted)


def _bleu_tokenizer(target: str) -> str:
    return "zh" if target == "zh" else "char" if target in ("ja", "ko", "th") else "13a"


def _missing(package: str) -> OptionError:
    return OptionError(
        f"This measure needs the package {package}, which is not installed.",
        "Install it with `pip install gptdesk[train]`.",
    )
