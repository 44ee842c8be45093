"""Stop texts: what comes out is the text before the first stop, and never a part of one."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gptdesk.generation.stops import StopMatcher

letters = st.text(alphabet="ab\n", max_size=30)
stop_texts = st.lists(st.text(alphabet="ab\n", min_size=1, max_size=4), max_size=3)


def run(text: str, stops: list[str], cuts: list[int]) -> tuple[str, bool]:
    matcher = StopMatcher(stops)
    borders = [0, *sorted({cut for cut in cuts if cut < len(text)}), len(text)]
    parts = [text[a:b] for a, b in itertools.pairwise(borders)]
    given_out = "".join(matcher.push(part) for part in parts)
    assert not any(stop in given_out for stop in stops)
    return given_out + matcher.flush(), matcher.stopped


@given(letters, stop_texts, st.lists(st.integers(0, 30)))
def test_the_text_up_to_the_first_stop_comes_out(
    text: str, stops: list[str], cuts: list[int]
) -> None:
    found, stopped = run(text, stops, cuts)
    assert stopped == any(stop in text for stop in stops)
    if not stopped:
        assert found == text
    else:
        assert text.startswith(found)
        assert not any(stop in found for stop in stops)
        assert any(text[len(found) :].startswith(stop) for stop in stops)


def test_only_what_may_become_a_stop_is_held_back() -> None:
    matcher = StopMatcher(["END"])
    assert matcher.push("the E") == "the "
    assert matcher.push("N") == ""
    assert matcher.push("E") == "EN"
    assert matcher.flush() == "E"


def test_nothing_comes_after_a_stop() -> None:
    matcher = StopMatcher(["\n\n"])
    assert matcher.push("a\n\nb") == "a"
    assert matcher.push("c") == ""
    assert matcher.flush() == ""
