"""Runs of words that samples share with a corpus, against the plain way of finding them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gptdesk.evaluation.overlap import longest_overlaps

WORDS = st.lists(st.sampled_from("abc"), max_size=12).map(" ".join)


def test_the_longest_copy_of_each_sample_is_found() -> None:
    corpus = ["It was a dark and stormy night; the rain fell in torrents.", "Nothing else."]
    samples = ["He said it was a dark and stormy night again", "entirely new words", "The rain"]
    found = longest_overlaps(samples, corpus)
    assert [(one.sample, one.start, one.words) for one in found] == [(0, 2, 7), (2, 0, 2)]
    assert found[0].text == "it was a dark and stormy night"


def test_chinese_counts_by_the_character() -> None:
    (found,) = longest_overlaps(["他说灯塔看守人写信"], ["灯塔看守人每天晚上都写一封信"])
    assert (found.start, found.words) == (2, 5)


def test_no_run_goes_over_the_border_of_samples_or_documents() -> None:
    found = longest_overlaps(["one two", "three four"], ["two three", "one", "two"])
    assert [one.words for one in found] == [1, 1]


@given(st.lists(WORDS, min_size=1, max_size=3), st.lists(WORDS, max_size=3))
def test_as_the_plain_search_finds(samples: list[str], corpus: list[str]) -> None:
    found = {one.sample: one.words for one in longest_overlaps(samples, corpus)}
    for number, sample in enumerate(samples):
        words = sample.split()
        runs = [
            end - start
            for start in range(len(words))
            for end in range(start + 1, len(words) + 1)
            if any(f" {' '.join(words[start:end])} " in f" {text} " for text in corpus)
        ]
        assert found.get(number, 0) == max(runs, default=0)
