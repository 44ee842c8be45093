"""Which language a text is in: by its script first, then by its commonest little words."""

from __future__ import annotations

import re
from collections import Counter

_SAMPLE = 20_000  # characters; more changes nothing
_MIN_SHARE = 0.08  # of the words of a text that must be function words of its language
_LETTER = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+|[^\s@]{1,64}@\S+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_SCRIPTS: tuple[tuple[str, str], ...] = (
    ("ja", "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d"),
    ("ko", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"),
    ("zh", "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"),
    ("ru", "\u0400-\u04ff"),
    ("el", "\u0370-\u03ff"),
    ("ar", "\u0600-\u06ff"),
    ("he", "\u0590-\u05ff"),
    ("th", "\u0e00-\u0e7f"),
    ("hi", "\u0900-\u097f"),
    ("latin", "A-Za-z\u00aa-\u024f\u1e00-\u1eff"),
)
_LETTERS_OF = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS}
_WEIGHT = {"zh": 3.0, "ja": 3.0, "ko": 2.0}  # one such character is worth a syllable or a word

_FUNCTION_WORDS = {
    "en": (
        "the a an of and to in is was that it he she for on with as at by be this have from or had not "
        "are but they his her which you we were been their has there an would what so if when "
        "who will no more them can said all one could do did it's don't i my your into than then "
        "some only about out up its over after before how our these those any very just"
    ),
    "de": (
        "der die das und ist nicht ich zu den mit sich des auf für von dem ein eine einen einem "
        "einer es er sie im auch als an nach wie war wird noch bei aus hat dass daß nur oder aber "
        "vor zur um bis mehr durch man sein sind wurde werden wenn kann schon ihr ihre sehr wir "
        "uns haben hatte über zum vom kein keine mich mir du habe gibt immer wieder doch am wo warum bist seid etwas ja nein hier da dann mein dein"
    ),
    "fr": (
        "le la les de des du et est un une en que qui dans pour pas sur au aux par plus avec il "
        "elle ne se ce cette ces son sa ses nous vous ils elles mais ou où je tu mon ma mes être "
        "avoir fait comme tout sont était à leur leurs y lui si même sans bien très été ça "
        "va quel quelle où deux aussi on entre donc alors"
    ),
    "es": (
        "el la los las de del y que en un una por con no se su para es al lo como más pero sus le "
        "ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien "
        "desde todo nos durante todos uno les ni contra otros ese eso ante ellos e esto mí"
    ),
    "it": (
        "il lo la i gli le di del della dei e che in un una per con non si è sono da al come più "
        "ma anche questo questa nel nella alla ha ho hanno era suo sua ci se perché mi cosa dove "
        "quando molto tutto tutti essere stato quello delle"
    ),
    "pt": (
        "o a os as de do da dos das e que em um uma por com não se para é ao como mais mas seu sua "
        "no na nos nas foi ele ela eu você está também já muito pelo pela até isso quando são ser "
        "tem à sem mesmo aos ou"
    ),
    "nl": (
        "de het een en van in is dat op te zijn met voor niet aan er om ook als bij maar door naar "
        "uit nog wel over ze hij ik je wat was worden wordt hebben heeft had deze dit die tot geen "
        "kan zou meer hun wij mijn"
    ),
}
_WORDS = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_ELISIONS = frozenset(("c", "d", "j", "l", "m", "n", "qu", "s", "t"))
_TELLING_LETTERS = {"de": "äöüß", "fr": "éèêàçùœëï", "es": "ñ¿¡áíóú", "pt": "ãõçáê", "it": "ìò"}


def guess_language(text: str) -> str:
    """Two-letter code of the language most of `text` is in; "" when that is not clear.

    Chinese, English, French and German are told apart from a sentence on; a few other languages
    are known so that they are not taken for one of these.
    """
    sample = _ADDRESS.sub(" ", text[:_SAMPLE])
    script = _main_script(sample)
    return _by_words(sample) if script == "latin" else script


def _main_script(text: str) -> str:
    """The language whose script most letters are in, or "latin"; "" without letters."""
    counts = Counter(
        {
            name: len(letters.findall(text)) * _WEIGHT.get(name, 1.0)
            for name, letters in _LETTERS_OF.items()
        }
    )
    # Japanese is written with Han characters as well; Chinese never uses kana.
    if counts["ja"] and counts["ja"] >= 0.1 * counts["zh"]:
        counts["ja"] += counts["zh"]
    name, count = counts.most_common(1)[0]
    return name if count and count >= 0.5 * len(_LETTER.findall(text)) else ""


def _by_words(text: str) -> str:
    words = [word.lower().replace("’", "'") for word in _WORD.findall(text)]
    if len(words) < 2:
        return ""
    scores = Counter({language: _score(language, words) for language in _WORDS})
    (best, first), (_, second) = scores.most_common(2)
    return best if first >= _MIN_SHARE and first > 1.1 * second else ""


def _score(language: str, words: list[str]) -> float:
    """Share of function words, raised by letters that few other languages use."""
    known = sum(word in _WORDS[language] for word in words)
    if language == "fr":
        known += sum(word.partition("'")[0] in _ELISIONS for word in words if "'" in word)
    telling = _TELLING_LETTERS.get(language, "")
    marked = sum(any(letter in telling for letter in word) for word in words) if telling else 0
    return (known + 0.7 * marked) / len(words)
