"""Text to be measured with is found again in training text, whatever was changed a little."""

from __future__ import annotations

import importlib
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.paths import resources_dir

PAGE = (
    "The keeper of the northern light wrote a letter on every evening of the year, although no "
    "ship ever came to carry it away. When the fog lifted in March he had forty of them in a box."
)
OTHER = (
    "A harbour master counts what enters and what leaves, and at the end of the month the two "
    "columns seldom agree, because sailors are poor at sums and gulls steal whatever lies open."
)
CHINESE = (
    "灯塔的看守人每天晚上都写一封信，虽然从来没有船来把它带走。三月雾散的时候，他已经攒了四十封。"
)


@pytest.fixture(scope="module")
def near() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(resources_dir() / "recipes")
        return importlib.import_module("near_duplicates")


@pytest.mark.parametrize(
    "copy",
    [
        PAGE,
        PAGE.upper(),
        PAGE.replace(" ", "\n").replace(",", ""),
        PAGE.replace("northern", "southern"),
        PAGE[37:],
        f"Once upon a time: {PAGE}",
    ],
)
def test_a_copy_is_found(near: ModuleType, copy: str) -> None:
    assert near.KnownText([OTHER, PAGE], "en").has_most_of(copy)


def test_other_text_is_not(near: ModuleType) -> None:
    known = near.KnownText([PAGE], "en")
    assert not known.has_most_of(OTHER)
    assert not known.has_most_of(f"{OTHER} {PAGE[:60]} {OTHER}")


def test_chinese_in_narrower_windows(near: ModuleType) -> None:
    known = near.KnownText([CHINESE], "zh")
    assert known.has_most_of(CHINESE.replace("，", "").replace("每天", "每个"))
    assert not known.has_most_of("港口的主人数着进来和出去的东西，到了月底两边的数目很少一致。")


@pytest.mark.parametrize("text", ["", "…!?", "A short line."])
def test_what_is_shorter_than_a_window_is_never_one(near: ModuleType, text: str) -> None:
    assert not near.KnownText([PAGE, text], "en").has_most_of(text)
    assert not near.KnownText([], "en").has_most_of(PAGE)


@given(
    before=st.text("ab", max_size=80),
    shared=st.text("abcdefgh", min_size=95, max_size=200),
    after=st.text("ab", max_size=20),
    start=st.integers(0, 31),
)
def test_a_part_is_known_wherever_it_begins(
    near: ModuleType, before: str, shared: str, after: str, start: int
) -> None:
    known = near.KnownText([before + shared + after], "en")
    assert known.has_most_of(shared[start:])


@given(text=st.text(max_size=60), width=st.integers(1, 12), stride=st.integers(1, 12))
def test_hashes_are_those_of_the_windows_alone(
    near: ModuleType, text: str, width: int, stride: int
) -> None:
    letters = near._letters(text)
    kept = "".join(filter(str.isalnum, text.lower()))
    assert len(letters) == len(kept)
    alone = [
        near._hashes(letters[at : at + width], width, 1)[0]
        for at in range(0, len(letters) - width + 1, stride)
    ]
    assert near._hashes(letters, width, stride).tolist() == [int(value) for value in alone]


def test_different_windows_have_different_hashes(near: ModuleType) -> None:
    letters = np.random.default_rng(0).integers(97, 123, 50_000).astype(np.uint64)
    assert len(np.unique(near._hashes(letters, 32, 1))) == 50_000 - 31
