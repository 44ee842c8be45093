"""Scores with known values, in words and in characters."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from gptdesk.errors import OptionError
from gptdesk.evaluation.text_scores import (
    Rouge,
    in_wrong_language,
    repetition,
    translation_scores,
)


def test_rouge_of_words() -> None:
    found = Rouge().score("the cat sat on the mat", ["the cat was on the mat"])
    assert found == pytest.approx({"rouge1": 500 / 6, "rouge2": 60.0, "rougeL": 500 / 6})


def test_rouge_of_characters() -> None:
    found = Rouge().score("灯塔看守人", ["灯塔守人"])
    assert found["rouge1"] == pytest.approx(800 / 9)
    assert found["rougeL"] == pytest.approx(800 / 9)


def test_the_best_of_several_references_counts() -> None:
    found = Rouge().score("a b c", ["x y z", "a b c"])
    assert found == pytest.approx({"rouge1": 100, "rouge2": 100, "rougeL": 100})


def test_a_perfect_translation_and_none() -> None:
    answers = ["The lamp by the door is still burning.", "She counted the boats in the harbour."]
    perfect = translation_scores(answers, [[text] for text in answers], "en")
    assert perfect.bleu == pytest.approx(100)
    assert perfect.chrf == pytest.approx(100)
    assert "tok:13a" in perfect.bleu_signature
    assert translation_scores(["", ""], [[text] for text in answers], "en").bleu == 0


def test_chinese_has_a_tokenizer_of_its_own() -> None:
    assert "tok:zh" in translation_scores(["你好。"], [["你好。", "您好。"]], "zh").bleu_signature


def test_items_may_have_different_numbers_of_references() -> None:
    found = translation_scores(
        ["a b c d e", "f g h i j"], [["a b c d e"], ["x", "f g h i j"]], "en"
    )
    assert found.bleu == pytest.approx(100)


def test_repetition_is_the_share_of_seen_4_grams() -> None:
    assert repetition("one two three four five six") == 0
    assert repetition("go on and on " * 3) == pytest.approx(5 / 9)
    assert repetition("short text") == 0


def test_only_plainly_other_languages_are_wrong() -> None:
    assert in_wrong_language("这是一个很好的例子。", "en")
    assert not in_wrong_language("This is a good example of the thing that we had.", "en")
    assert not in_wrong_language("", "en")


@pytest.mark.parametrize(("package", "name"), [("rouge_score", "rouge-score"), ("sacrebleu",) * 2])
def test_a_missing_package_is_named(
    package: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def fake(module: str, *args: Any) -> Any:
        if module.split(".", maxsplit=1)[0] == package:
            raise ImportError(module)
        return real(module, *args)

    monkeypatch.setattr(builtins, "__import__", fake)
    with pytest.raises(OptionError, match=name) as caught:
        Rouge() if package == "rouge_score" else translation_scores(["a"], [["a"]], "en")
    assert "gptdesk[train]" in caught.value.hint
