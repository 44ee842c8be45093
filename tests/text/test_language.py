"""The language guess: sure where a reader is, silent where a reader would be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.text.language import guess_language

SENTENCES = {
    "en": [
        "The cat sat on the mat.",
        "I love you.",
        "Where are you?",
        "This function returns a list. Return a new list.",
        "When the storm was over, she walked along the harbour.",
        "Nothing in the letter explained why he had left.",
    ],
    "de": [
        "Die Katze sitzt auf dem Tisch.",
        "Ich liebe dich.",
        "Wo bist du gewesen?",
        "Nach dem Sturm ging sie am Hafen entlang und zählte die Lampen.",
        "Nichts in dem Brief erklärte, warum er gegangen war.",
    ],
    "fr": [
        "Le chat est sur la table.",
        "Je t'aime beaucoup.",
        "Où étais-tu hier soir ?",
        "Après la tempête, elle se promena le long du port.",
        "L’homme n’avait rien dit de son départ.",
    ],
    "zh": [
        "猫坐在垫子上。",
        "我们用 GPT 写作。",
        "灯塔看守人每天晚上都写一封信，虽然没有船来把它带走。",
    ],
    "ja": ["猫はマットの上に座った。", "東京に行きました。"],
    "ko": ["고양이가 매트 위에 앉았다."],
    "ru": ["Кошка сидела на коврике."],
    "es": ["El gato está en la mesa y no quiere bajar."],
    "it": ["Il gatto è sul tavolo e non vuole scendere."],
    "nl": ["De kat zit op de tafel en wil er niet van af."],
}


@pytest.mark.parametrize(
    ("language", "text"), [(code, text) for code, texts in SENTENCES.items() for text in texts]
)
def test_sentences_are_recognised(language: str, text: str) -> None:
    assert guess_language(text) == language


@pytest.mark.parametrize("text", ["", "   ", "12 34 !?", "Hello", "xyzzy plugh", "https://a.b/c"])
def test_what_cannot_be_told_is_not(text: str) -> None:
    assert guess_language(text) == ""


def test_the_main_language_of_a_mixed_text_counts() -> None:
    assert guess_language("She called it “Schadenfreude” and laughed at the word. " * 3) == "en"
    assert guess_language("他说 hello，然后走了。") == "zh"


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert len(guess_language(text)) in (0, 2)
