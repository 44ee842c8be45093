"""What counts as lost in a translation, and what is only written differently."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptdesk.tasks.survival import lost_ranges, made_up


@pytest.mark.parametrize(
    ("source", "target", "lost"),
    [
        ("12 men and 12 women", "12 Männer", ["12"]),
        ("1,000 men", "1,000个人", []),
        ("1,000 men", "1000个人", ["1,000"]),
        ("2026-11-21", "2026年11月21日", []),
        ("on 14.03.2026 at 10:30", "2026年3月14日10时30分", []),
        ("from 10-20 men", "10到20人", []),
        ("from 1,000-2,000 men", "1,000到2,000人", []),
        ("５ 月", "5", []),
        ("1934－1971年", "1934－1971年", []),
        ("1934－1971年", "1934 to 1971", []),
        ("`a` and `b`", "`a` und b", ["`b`"]),
        ("3 men", "drei Männer", ["3"]),
        ("120 men", "12 Mann", ["120"]),
        ("an MP3 of the 14th", "a file", ["MP3", "14th"]),
        ("在2026年3月14日。", "on that day.", ["2026年3月14日"]),
        ("在3月14日。", "on 14 March.", []),
        ("at https://example.org/2026 now", "jetzt", ["https://example.org/2026"]),
    ],
)
def test_lost_ranges(source: str, target: str, lost: list[str]) -> None:
    assert [source[a:b] for a, b in lost_ranges(source, target)] == lost


@pytest.mark.parametrize("target", ["1 000 hommes", "1.000 Mann", "1\u202f000 hommes", "1000 Mann"])
def test_other_languages_may_group_digits_otherwise(target: str) -> None:
    assert not lost_ranges("1,000 men", target, verbatim=False)
    assert lost_ranges("1,000 men", target)


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        ("long ago", "in 1823", ["1823"]),
        ("in 1823", "in 1823. In 1823 too", []),
        ("in 1823", "in the 1820s", ["1820s"]),
        ("1934-1971", "from 1934 to 1971", []),
        ("on 03/04/2026", "on 3 April 2026", []),
        ("on 03/04/2026", "on 04/03/2026", ["04/03/2026"]),
        ("for 10-20 men", "for 20-10 men", ["20-10"]),
        ("the page", "the page <b>", ["<b>"]),
        ("`a`", "`a` and `a`, or `b`", ["`b`"]),
        ("５月", "5月", []),
    ],
)
def test_made_up(source: str, target: str, names: list[str]) -> None:
    assert made_up(source, target) == names


@given(st.text(alphabet="a1,.-１－年月 `", max_size=40), st.booleans())
def test_a_text_loses_nothing_to_itself(text: str, verbatim: bool) -> None:
    assert lost_ranges(text, text, verbatim=verbatim) == []
    assert made_up(text, text) == []


@given(st.text(alphabet="a1,.-年月 `", max_size=40), st.text(alphabet="1,a", max_size=10))
def test_ranges_ascend_and_do_not_touch(source: str, target: str) -> None:
    ranges = lost_ranges(source, target)
    flat = [place for found in ranges for place in found]
    assert flat == sorted(set(flat))
