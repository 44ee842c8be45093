"""Finds what a model copied out of its training text: the longest runs of words they share.

Each sample becomes a suffix automaton (Blumer et al. 1985); the training text streams through it
word by word, however long it is, and the automaton always knows the longest run of words that
ends here and also stands in the sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gptdesk.evaluation.text_scores import CharacterTokenizer


@dataclass(frozen=True, slots=True)
class Overlap:
    """A run of words that stands in a sample and in the training text.

    Attributes:
        sample: number of the sample.
        start, words: where in the sample's words it begins, and how many it is long.
        text: the words, joined by spaces.
    """

    sample: int
    start: int
    words: int
    text: str


@dataclass(slots=True)
class _State:
    """The runs of words that end at the same places of a sample.

    Attributes:
        length: of the longest of them.
        link: state of the longest shorter suffix that ends at more places; -1 at the root.
        end: number of words up to the first place where they end.
        following: state after each next word.
    """

    length: int
    link: int
    end: int
    following: dict[str, int] = field(default_factory=dict)


def longest_overlaps(samples: Sequence[str], corpus: Iterable[str]) -> list[Overlap]:
    """The longest run of each sample that stands in the corpus; samples without any are left out.

    Args:
        samples: what a model wrote.
        corpus: the documents it was trained on; they are streamed.

    Returns:
        At most one a sample, the longest first. Words are compared in lower case and without
        punctuation; Chinese and Japanese count by the character.
    """
    words = CharacterTokenizer()
    split = [words.tokenize(sample) for sample in samples]
    automata = [_automaton(tokens) for tokens in split]
    longest = [(0, 0)] * len(split)  # of each sample: length, end
    for document in corpus:
        tokens = words.tokenize(document)
        for number, states in enumerate(automata):
            longest[number] = max(longest[number], *_runs(states, tokens), key=lambda run: run[0])
    overlaps = [
        Overlap(number, end - length, length, " ".join(split[number][end - length : end]))
        for number, (length, end) in enumerate(longest)
        if length
    ]
    return sorted(overlaps, key=lambda overlap: -overlap.words)


def _runs(states: Sequence[_State], words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Length, and end in the sample, of the run that ends at each word of the document."""
    at = length = 0
    yield 0, 0
    for word in words:
        while at and word not in states[at].following:
            at = states[at].link
            length = states[at].length
        if word in states[at].following:
            at = states[at].following[word]
            length += 1
            yield length, states[at].end


def _automaton(words: Sequence[str]) -> list[_State]:
    states = [_State(0, -1, 0)]
    last = 0
    for count, word in enumerate(words, 1):
        new = len(states)
        states.append(_State(states[last].length + 1, -1, count))
        at = last
        while at >= 0 and word not in states[at].following:
            states[at].following[word] = new
            at = states[at].link
        states[new].link = 0 if at < 0 else _link(states, at, word)
        last = new
    return states


def _link(states: list[_State], at: int, word: str) -> int:
    """The suffix link of a new state; splits the state behind `at` where it holds longer runs."""
    behind = states[at].following[word]
    if states[behind].length == states[at].length + 1:
        return behind
    old = states[behind]
    split = len(states)
    states.append(_State(states[at].length + 1, old.link, old.end, dict(old.following)))
    old.link = split
    while at >= 0 and states[at].following.get(word) == behind:
        states[at].following[word] = split
        at = states[at].link
    return split
