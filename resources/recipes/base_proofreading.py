"""Pairs for learning to proofread: clean sentences, and what a hurried writer makes of them.

English: keys hit wrongly, words left out, doubled or confused, endings that do not agree, marks
and capitals forgotten. Chinese: characters that sound the same, particles confused or left out,
characters doubled or swapped, marks forgotten.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gptdesk.text.segmentation import sentences

CLEAN_SHARE = 0.4
"""Sentences that are shown without an error, so that the model learns to leave text alone."""

SECOND_ERROR = 0.35
"""How often a sentence with an error has one more."""

_LENGTHS = {"en": (25, 260), "zh": (10, 90)}
_HEADING_LENGTHS = {"en": (4, 60), "zh": (2, 24)}
_PLAIN_SHARE = 0.95  # of an English sentence; lists of references have more figures and marks
_FREQUENT = 3000

_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok",
    "o": "ipl", "p": "ol", "a": "qsz", "s": "adwx", "d": "sfec", "f": "dgrv", "g": "fhtb",
    "h": "gjyn", "j": "hkum", "k": "jli", "l": "kop", "z": "asx", "x": "zcs", "c": "xvd",
    "v": "cbf", "b": "vng", "n": "bmh", "m": "nj",
}  # fmt: skip


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CONFUSED = (
    "their there", "there they're", "its it's", "your you're", "then than", "affect effect",
    "to too", "lose loose", "whose who's", "were where", "accept except", "quite quiet",
    "of off", "advice advise", "principle principal", "weather whether", "passed past",
)  # fmt: skip
_DISAGREEING = (
    "is are", "was were", "has have", "does do", "this these", "that those", "a an",
    "comes come", "makes make", "takes take", "shows show", "contains contain", "becomes become",
    "remains remain", "includes include", "uses use", "needs need", "gives give",
)  # fmt: skip
_LITTLE = _set(
    "a an the of to in on at for with by from is are was were be been has have had and that as "
    "it not can will would which"
)
_PARTICLES = "的地得"
_LEFT_OUT = frozenset("的了在是有和与对于为中上着过就也都被把从")

_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_HAN = re.compile("[\u4e00-\u9fff]")
_COMMA = re.compile("[,，、](?![0-9])")  # within a number nobody can tell that one is missing

Draw = random.Random
Error = Callable[[str, Draw], str | None]
"""Makes one error; None where the sentence offers no place for it."""


def _both_ways(pairs: Iterable[str]) -> Mapping[str, list[str]]:
    table: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        one, other = pair.split()
        table[one].append(other)
        table[other].append(one)
    return table


_CONFUSIONS, _AGREEMENT = _both_ways(_CONFUSED), _both_ways(_DISAGREEING)


@dataclass(frozen=True)
class Homophones:
    """Characters that are read alike and are both in common use.

    Attributes:
        others: of a character.
    """

    others: Mapping[str, str]

    @classmethod
    def from_dictionary(cls, rows: Iterable[Mapping[str, Any]], sample: str) -> Homophones:
        """Readings from CC-CEDICT's entries of one character, frequency from a sample of text."""
        common = {char for char, _ in Counter(_HAN.findall(sample)).most_common(_FREQUENT)}
        by_sound: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            if row["zh"] in common:
                by_sound[row["pinyin"].lower().rstrip("12345")].add(row["zh"])
        others: dict[str, set[str]] = defaultdict(set)
        for alike in by_sound.values():
            for char in alike:
                others[char] |= alike - {char}
        return cls({char: "".join(sorted(found)) for char, found in others.items() if found})


class Corrupter:
    """Plants errors.

    Args:
        homophones: for Chinese.
        seed: of everything that is drawn.
    """

    def __init__(self, homophones: Homophones, seed: int) -> None:
        self._draw = random.Random(seed)
        self._homophones = homophones
        english: list[Error] = [_typo] * 5
        english += [_little_word_lost] * 3 + [_word_doubled, _confused, _confused]
        english += [_disagreeing] * 4 + [_comma_lost, _end_lost, _small_letter]
        chinese: list[Error] = [self._homophone] * 6
        chinese += [_particle] * 2 + [_character_lost] * 2
        chinese += [_character_doubled, _swapped, _end_lost, _comma_lost]
        self._errors = {"en": english, "zh": chinese}

    def rows(self, texts: Iterable[str], language: str) -> Iterator[dict[str, str]]:
        """Yield lines for the task "rewrite" of the sentences of these texts."""
        shortest, longest = _LENGTHS[language]
        for text in texts:
            for span in sentences(text):
                sentence = text[span.start : span.end].strip()
                if shortest <= len(sentence) <= longest and _is_clean(sentence, language):
                    yield self.row(sentence, language)

    def headings(self, texts: Iterable[str], language: str) -> Iterator[dict[str, str]]:
        """Yield lines for headings, which are right without a full stop; to learn from alone."""
        shortest, longest = _HEADING_LENGTHS[language]
        for text in texts:
            heading = text.strip()
            if shortest <= len(heading) <= longest and _is_heading(heading, language):
                yield {"text": heading, "rewritten": heading, "style": "proofread"}

    def row(self, sentence: str, language: str) -> dict[str, str]:
        """One sentence, with errors or as it is."""
        shown = sentence
        if self._draw.random() >= CLEAN_SHARE:
            shown = self.corrupted(sentence, language)
        return {"text": shown, "rewritten": sentence, "style": "proofread"}

    def corrupted(self, sentence: str, language: str) -> str:
        """The sentence with one error or two; as it is where none fits."""
        count = 2 if self._draw.random() < SECOND_ERROR else 1
        shown = sentence
        for _ in range(count):
            for error in self._draw.sample(self._errors[language], len(self._errors[language])):
                changed = error(shown, self._draw)
                if changed is not None and changed != sentence:
                    shown = changed
                    break
        return shown

    def _homophone(self, text: str, draw: Draw) -> str | None:
        places = [at for at, char in enumerate(text) if char in self._homophones.others]
        if not places:
            return None
        at = draw.choice(places)
        return text[:at] + draw.choice(self._homophones.others[text[at]]) + text[at + 1 :]


def _is_clean(sentence: str, language: str) -> bool:
    """A whole sentence, without the traces of tables and lost markup."""
    ends = sentence.rstrip("\"'”’）)")[-1:] in ".!?。！？"
    if language == "en":
        plain = sum(char.isalpha() or char in " ,.'’" for char in sentence)
        return ends and sentence[0].isupper() and plain > _PLAIN_SHARE * len(sentence)
    return ends and len(_HAN.findall(sentence)) > len(sentence) / 2


def _is_heading(line: str, language: str) -> bool:
    """Words only, from a capital to the end without a mark."""
    if language == "en":
        return line[0].isupper() and all(char.isalpha() or char in " '’" for char in line)
    return all(_HAN.match(char) for char in line)


def _words(text: str, wanted: Callable[[str], bool]) -> list[re.Match[str]]:
    return [match for match in _WORD.finditer(text) if wanted(match.group())]


def _replaced(text: str, match: re.Match[str], by: str) -> str:
    return text[: match.start()] + by + text[match.end() :]


def _like(word: str, model: str) -> str:
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def _typo(text: str, draw: Draw) -> str | None:
    words = _words(text, lambda word: len(word) > 3 and word.isalpha())
    if not words:
        return None
    match = draw.choice(words)
    word = match.group()
    at = draw.randrange(1, len(word) - 1)
    kind = draw.randrange(4)
    if kind == 0 and word[at] != word[at + 1]:
        made = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        made = word[:at] + word[at + 1 :]
    elif kind == 2:
        made = word[:at] + word[at] + word[at:]
    else:
        near = _NEIGHBOURS.get(word[at].lower(), "e")
        made = word[:at] + draw.choice(near) + word[at + 1 :]
    return _replaced(text, match, made)


def _little_word_lost(text: str, draw: Draw) -> str | None:
    words = [match for match in _words(text, lambda word: word in _LITTLE) if match.start()]
    if not words:
        return None
    match = draw.choice(words)
    return text[: match.start()].rstrip(" ") + text[match.end() :]


def _word_doubled(text: str, draw: Draw) -> str | None:
    words = _words(text, lambda word: word in _LITTLE)
    if not words:
        return None
    match = draw.choice(words)
    return _replaced(text, match, f"{match.group()} {match.group()}")


def _from_table(text: str, draw: Draw, table: Mapping[str, list[str]]) -> str | None:
    words = _words(text, lambda word: word.lower() in table)
    if not words:
        return None
    match = draw.choice(words)
    return _replaced(text, match, _like(draw.choice(table[match.group().lower()]), match.group()))


def _confused(text: str, draw: Draw) -> str | None:
    return _from_table(text, draw, _CONFUSIONS)


def _disagreeing(text: str, draw: Draw) -> str | None:
    return _from_table(text, draw, _AGREEMENT)


def _comma_lost(text: str, draw: Draw) -> str | None:
    places = [match.start() for match in _COMMA.finditer(text)]
    if not places:
        return None
    at = draw.choice(places)
    return text[:at] + text[at + 1 :]


def _end_lost(text: str, draw: Draw) -> str | None:  # noqa: ARG001  as every error
    return text[:-1] if text[-1] in ".。" else None


def _small_letter(text: str, draw: Draw) -> str | None:  # noqa: ARG001  as every error
    return text[0].lower() + text[1:] if text[0].isupper() and text[1:2].islower() else None


def _particle(text: str, draw: Draw) -> str | None:
    places = [at for at, char in enumerate(text) if char in _PARTICLES]
    if not places:
        return None
    at = draw.choice(places)
    return text[:at] + draw.choice(_PARTICLES.replace(text[at], "")) + text[at + 1 :]


def _character_lost(text: str, draw: Draw) -> str | None:
    places = [at for at, char in enumerate(text) if at and char in _LEFT_OUT]
    if not places:
        return None
    at = draw.choice(places)
    return text[:at] + text[at + 1 :]


def _character_doubled(text: str, draw: Draw) -> str | None:
    places = [at for at, char in enumerate(text) if char in _LEFT_OUT]
    if not places:
        return None
    at = draw.choice(places)
    return text[: at + 1] + text[at:]


def _swapped(text: str, draw: Draw) -> str | None:
    places = [
        at
        for at in range(len(text) - 1)
        if _HAN.match(text[at]) and _HAN.match(text[at + 1]) and text[at] != text[at + 1]
    ]
    if not places:
        return None
    at = draw.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
