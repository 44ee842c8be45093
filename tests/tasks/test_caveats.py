"""What is said of a model's weak points: where they are met, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from gptdesk.checkpoints.experimental import Experimental
from gptdesk.tasks.caveats import caveats
from gptdesk.tasks.options import make_options
from gptdesk.tasks.profile import ModelProfile
from gptdesk.tasks.registry import TASKS
from gptdesk.text.tokenizer import Tokenizer

ENGLISH = "The tide had gone out further than anyone in the village could remember."
GERMAN = (
    "Das Meer war an diesem Morgen weiter zurückgegangen, als man sich im Dorf erinnern konnte."
)
FRENCH = (
    "La mer était descendue plus bas que dans les souvenirs de tous ceux qui vivent au village."
)
CHINESE = "潮水退得比村里任何人记得的都远。"
WEAK = ModelProfile(
    languages=("en", "zh", "de", "fr"), experimental=Experimental(("de", "fr"), 200)
)


def said(tokenizer: Tokenizer, task: str, text: str, **options: Any) -> list[str]:
    """What is said, after a check that a run would take these options."""
    make_options(TASKS[task].options_type, options)
    return caveats(task, text, options, WEAK, tokenizer)


@pytest.mark.parametrize(
    ("task", "text", "options", "named"),
    [
        ("continue", ENGLISH, {}, []),
        ("continue", GERMAN, {}, ["German"]),
        ("summarize", ENGLISH, {}, []),
        ("summarize", CHINESE, {"language": "en"}, []),
        ("summarize", FRENCH, {}, ["French"]),
        ("summarize", FRENCH, {"language": "en"}, ["French"]),
        ("summarize", ENGLISH, {"language": "de"}, ["German"]),
        ("summarize", FRENCH, {"language": "de"}, ["German", "French"]),
        ("translate", ENGLISH, {}, []),
        ("translate", GERMAN, {}, ["German"]),
        ("translate", GERMAN, {"source": "en", "target": "zh"}, []),
        ("translate", ENGLISH, {"target": "fr"}, ["French"]),
        ("translate", ENGLISH, {"source": "fr", "target": "de"}, ["German", "French"]),
        ("translate", "", {"target": "fr"}, ["French"]),
        ("rewrite", GERMAN, {"style": "simplify"}, ["German"]),
        ("rewrite", CHINESE, {}, []),
        ("translate", " \n", {}, []),
        ("summarize", "", {"language": "de"}, ["German"]),
    ],
)
def test_languages_are_named_where_they_are_read_or_written(
    tokenizer: Tokenizer, task: str, text: str, options: dict[str, Any], named: list[str]
) -> None:
    found = said(tokenizer, task, text, **options)
    assert len(found) == bool(named)
    assert [name for name in ("German", "French") if name in "".join(found)] == named


def test_a_long_text_is_named_where_it_is_read_as_a_whole(tokenizer: Tokenizer) -> None:
    short, long = ENGLISH, f"{ENGLISH}\n" * 40
    assert tokenizer.count(short) < WEAK.experimental.text_tokens < tokenizer.count(long)
    assert said(tokenizer, "summarize", short) == []
    assert "long" in said(tokenizer, "summarize", long)[0]
    assert said(tokenizer, "translate", long) == []
    assert said(tokenizer, "continue", long) == []


def test_the_length_counts_to_the_token(tokenizer: Tokenizer) -> None:
    text = ENGLISH * 3
    count = tokenizer.count(text)
    for limit, expected in ((count - 1, 1), (count, 0), (0, 0)):
        profile = ModelProfile(experimental=Experimental((), limit))
        assert len(caveats("summarize", text, {}, profile, tokenizer)) == expected


def test_both_are_said_at_once(tokenizer: Tokenizer) -> None:
    assert len(said(tokenizer, "summarize", GERMAN * 40)) == 2


@pytest.mark.parametrize("text", [ENGLISH, GERMAN * 100])
def test_a_model_without_weak_points_is_praised_by_silence(tokenizer: Tokenizer, text: str) -> None:
    for task in TASKS:
        assert caveats(task, text, {}, ModelProfile(), tokenizer) == []
