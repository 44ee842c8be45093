"""Planted errors: each changes its sentence a little, and some sentences stay as they are."""

from __future__ import annotations

import difflib
import importlib
import random
from types import ModuleType

import pytest

from gptdesk.paths import resources_dir

ENGLISH = "The old keepers were on the island, and their letters have been taken to the harbour."
CHINESE = "灯塔的看守人在每天晚上都写了一封信，虽然没有船来把它带走。"
SOUNDS = [
    {"zh": "灯", "pinyin": "deng1"},
    {"zh": "等", "pinyin": "deng3"},
    {"zh": "晚", "pinyin": "wan3"},
    {"zh": "玩", "pinyin": "wan2"},
    {"zh": "鼟", "pinyin": "deng1"},
]


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(resources_dir() / "recipes")
        return importlib.import_module("base_proofreading")


def corrupter(recipe: ModuleType, seed: int = 1) -> object:
    homophones = recipe.Homophones.from_dictionary(SOUNDS, "灯等晚玩" * 3)
    return recipe.Corrupter(homophones, seed)


def test_characters_that_sound_alike_and_are_common_stand_for_each_other(
    recipe: ModuleType,
) -> None:
    others = recipe.Homophones.from_dictionary(SOUNDS, "灯等晚玩" * 3).others
    assert others == {"灯": "等", "等": "灯", "晚": "玩", "玩": "晚"}, "鼟 is in no text"


@pytest.mark.parametrize(("sentence", "language"), [(ENGLISH, "en"), (CHINESE, "zh")])
def test_an_error_changes_little_and_always_something(
    recipe: ModuleType, sentence: str, language: str
) -> None:
    planted = corrupter(recipe)
    made = [planted.corrupted(sentence, language) for _ in range(300)]  # type: ignore[attr-defined]
    assert sentence not in made
    assert len(set(made)) > 30
    for text in made:
        assert difflib.SequenceMatcher(None, sentence, text).ratio() > 0.8


def test_every_kind_of_error_finds_its_place_or_says_that_there_is_none(
    recipe: ModuleType,
) -> None:
    kinds = ["typo", "little_word_lost", "word_doubled", "disagreeing", "comma_lost", "end_lost"]
    for kind in kinds:
        error = getattr(recipe, f"_{kind}")
        assert error(ENGLISH, random.Random(1)) not in (None, ENGLISH)
        assert error("12 34", random.Random(1)) is None


def test_rows_are_whole_sentences_some_of_them_clean(recipe: ModuleType) -> None:
    texts = [f"{ENGLISH} See p. 14 [3] (2), 1995: 12-14. too short. {ENGLISH}"] * 150
    rows = list(corrupter(recipe).rows(texts, "en"))  # type: ignore[attr-defined]
    assert {row["rewritten"] for row in rows} == {ENGLISH}
    clean = sum(row["text"] == row["rewritten"] for row in rows) / len(rows)
    assert abs(clean - recipe.CLEAN_SHARE) < 0.1
    assert {row["style"] for row in rows} == {"proofread"}


def test_a_comma_within_a_number_stays(recipe: ModuleType) -> None:
    made = {recipe._comma_lost("Of 1,000 letters, 3,400 came.", random.Random(i)) for i in range(9)}
    assert made == {"Of 1,000 letters 3,400 came."}


@pytest.mark.parametrize(
    ("language", "lines", "headings"),
    [
        ("en", ["The Lamp", "see there", "Step 1: List", "It was late.", "A"], ["The Lamp"]),
        ("zh", ["第一章", "第 1 章", "他走了。", "章"], ["第一章"]),
    ],
)
def test_headings_stay_as_they_are(
    recipe: ModuleType, language: str, lines: list[str], headings: list[str]
) -> None:
    rows = list(corrupter(recipe).headings(lines, language))  # type: ignore[attr-defined]
    assert [row["text"] for row in rows] == [row["rewritten"] for row in rows] == headings


def test_the_same_seed_plants_the_same_errors(recipe: ModuleType) -> None:
    first, second = (list(corrupter(recipe, 5).rows([CHINESE] * 20, "zh")) for _ in range(2))  # type: ignore[attr-defined]
    assert first == second
    other = list(corrupter(recipe, 6).rows([CHINESE] * 20, "zh"))  # type: ignore[attr-defined]
    assert first != other
