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

CHINESE = (
    "张三今天就去北京出差，他要在那里见几位多年没有见面的老朋友，还要谈一谈一整年的收入和发展，"
    "李四却留在公司里，一个人把仓库里的旧灯一盏一盏地擦干净，等他回来的时候好让他大吃一惊。"
)


def wrapped_chinese(width: int) -> str:
    """The Chinese text in lines that no punctuation begins, as typesetters wrap it."""
    found, rest = [], CHINESE
    while len(rest) > width:
        end = next(place for place in range(width, 0, -1) if rest[place] not in "，。")
        found.append(rest[:end])
        rest = rest[end:]
    return "\n".join([*found, rest])


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
        "\n".join(part * 5 for part in ("没有船来送走它的信。", "她沿着港口走过了灯。")),
        "\n".join(f"{part * 4}他说：「好。」" for part in ("没有船来送走它的信。", "她走了。")),
        f"{CHINESE[:47]}\n{CHINESE[:60]}\n{CHINESE[:52]}",
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


@pytest.mark.parametrize("width", [46, 48, 55])
def test_wrapped_chinese_is_joined_without_spaces(width: int) -> None:
    text = wrapped_chinese(width)
    block = list(lines(text))
    assert sizes(text) == [len(block)]
    assert joined(block) == CHINESE
    assert "\n".join(broken(CHINESE, block)) == text
    corrected = broken(CHINESE.replace("今天就去", "今天去"), block)
    pairs = zip(corrected, block, strict=True)
    assert all(abs(len(new) - len(line.body)) <= 2 for new, line in pairs)


def test_english_quotes_keep_the_space_between_them() -> None:
    block = list(lines("He said: “Nobody has ever come from there.”\n“Why not?” she asked him."))
    assert joined(block) == "He said: “Nobody has ever come from there.” “Why not?” she asked him."


def test_the_same_words_are_not_broken_otherwise() -> None:
    place = CHINESE.index("，")
    block = list(lines(f"{CHINESE[:place]}\n{CHINESE[place:]}"))
    assert broken(joined(block), block) == [CHINESE[:place], CHINESE[place:]]


@given(st.text(alphabet="ab 灯塔，。「", max_size=120))
def test_breaking_loses_nothing_but_spaces(text: str) -> None:
    block = list(lines(textwrap.fill(PROSE, 60)))
    parts = broken(text, block)
    assert len(parts) == len(block)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    if " " not in text:
        assert not any(part.startswith(("，", "。")) for part in parts[1:])
