"""Hard-wrapped paragraphs are found, and broken again into as many lines."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.tasks.markup import lines
from gptdesk.tasks.wrapping import blocks, broken, joined

PROSE = (
    "The lighthouse keeper wrote a letter every evening, though no boat came to carry it away. "
    "When the storm was over, she walked along the harbour and counted the lamps that burned."
)
VERSE = (
    "Shall I compare thee to a summer's day?\nThou art more lovely and more temperate:\n"
    "Rough winds do shake the darling buds of May,\nAnd summer's lease hath all too short a date;"
)


def sizes(text: str) -> list[int]:
    return [len(block) for block in blocks(list(lines(text)))]


@pytest.mark.parametrize("width", [50, 60, 72, 80])
def test_wrapped_prose_is_one_block(width: int) -> None:
    text = textwrap.fill(PROSE, width)
    assert sizes(text) == [text.count("\n") + 1]
    item = textwrap.fill(PROSE, width, initial_indent="- ", subsequent_indent="  ")
    assert sizes(item) == [item.count("\n") + 1]


@pytest.mark.parametrize(
    "text",
    [
        "She wrote a letter.\nNo boat came.",
        "The lighthouse keeper wrote a letter every evening.\nNo boat came to carry it away.",
        VERSE,
        f"{PROSE}\n{PROSE}",
        textwrap.fill(PROSE, 60).replace("\n", "  \n"),
        "\n".join(f"- {line}" for line in textwrap.wrap(PROSE, 60)),
    ],
)
def test_other_lines_stand_alone(text: str) -> None:
    assert set(sizes(text)) == {1}


def test_blocks_lose_no_line() -> None:
    text = f"# Title\n\n{textwrap.fill(PROSE, 60)}\n\nEnd.\n"
    found = list(lines(text))
    assert [line for block in blocks(found) for line in block] == found


def test_the_same_words_are_broken_where_they_were() -> None:
    text = textwrap.fill(PROSE, 60)
    block = list(lines(text))
    assert "\n".join(broken(joined(block), block)) == text


@given(st.text(alphabet="ab 灯塔，。「", max_size=120))
def test_breaking_loses_nothing_but_spaces(text: str) -> None:
    block = list(lines(textwrap.fill(PROSE, 60)))
    parts = broken(text, block)
    assert len(parts) == len(block)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    if " " not in text:
        assert not any(part.startswith(("，", "。")) for part in parts[1:])
