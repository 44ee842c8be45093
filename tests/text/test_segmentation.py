"""Sentences and paragraphs: nothing is lost, and a reader would cut there too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.text.segmentation import Span, paragraphs, sentences

pieces = st.sampled_from(
    [
        "Dr. ",
        "No. 5",
        "word ",
        "z. B. ",
        "。",
        "！”",
        "\n",
        "\n\n",
        "  ",
        "...",
        "。」",
        "! ",
        "a.",
        "«",
        " »",
        "3.",
        "\r\n",
        "- ",
    ]
)
texts = st.one_of(st.text(), st.lists(pieces, max_size=30).map("".join))


def cut(text: str) -> list[str]:
    return [text[span.start : span.end].strip() for span in sentences(text)]


@given(texts)
def test_nothing_is_lost(text: str) -> None:
    for spans in (sentences(text), paragraphs(text)):
        assert "".join(text[span.start : span.end] for span in spans) == text
        assert all(span.start < span.end for span in spans)


@pytest.mark.parametrize(
    "expected",
    [
        ["Dr. Smith met Mr. J. R. Hale at 3.14 Elm Street.", "He left."],
        ["“Stop!” he said.", "“Go.”", "She did..."],
        ["It ended… slowly.", "Then nothing…", "Really?!", "Yes."],
        ["No. 5 was, e.g., fine.", "He said no.", "We left."],
        ["The U.S. Navy came.", "It cost 3.50 (approx. 4.00 with tax).", "Good."],
        ["He was 42.", "Then he was 43."],
        ["(They agreed.)", "[So it goes.]", "*Done.*", "Next."],
        ["Am 3. März kam Herr Dr. Müller, z. B. nach Bonn.", "„Halt!“ rief er."],
        ["Das kostet ca. 5 Euro, d.h. wenig.", "Im 19. Jahrhundert bzw. später.", "Schön!"],
        ["« Bonjour ! »", "Il partit.", "M. Dupont arriva.", "Quoi ?", "Rien…"],
        ["他来了。", "她问：“去哪？”", "没有人回答！", "好；", "走吧"],
        ["价格是3.5元。", "「对。」", "真的……是吗？！", "是。"],
        ["See https://example.org/a.b?c=1.2 for more.", "Or not."],
        ["Ends without a full stop"],
    ],
)
def test_sentences_of_four_languages(expected: list[str]) -> None:
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in expected[0])
    assert cut(("" if chinese else " ").join(expected)) == expected


def test_line_breaks_end_sentences_and_lists_are_lists() -> None:
    text = "A heading\n\n1. Boil the water\n2. Add tea\n- and milk\nServe. Drink."
    assert cut(text) == [
        "A heading",
        "1. Boil the water",
        "2. Add tea",
        "- and milk",
        "Serve.",
        "Drink.",
    ]


def test_hard_wrapped_lines_are_one_sentence() -> None:
    text = (
        "The storm was over, and she walked along the harbour\n"
        "and counted the lamps that still burned. Then she went\nhome."
    )
    assert len(cut(text)) == 2


def test_paragraphs_keep_the_blank_lines_behind_them() -> None:
    assert paragraphs("one\ntwo\n\n \nthree\n") == [Span(0, 11), Span(11, 17)]
    assert paragraphs("") == []


@pytest.mark.timeout(20)  # a quadratic search takes minutes
@pytest.mark.parametrize(
    "text",
    [
        "\n" * 500_000,
        " " * 500_000,
        "." * 500_000,
        "\n " * 250_000,
        "a. " * 200_000,
        "! »" * 200_000,
    ],
)
def test_long_monotonous_texts_take_linear_time(text: str) -> None:
    assert sentences(text)[-1].end == len(text)
