"""Patterns that split text: those in use pass, those that may take for ever are refused."""

from __future__ import annotations

from gptdesk.text.regex_bounds import why_slow

_CASES = r"\p{Lm}\p{Lo}\p{M}"
IN_USE = {
    "gpt-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama 3": r"(?i:'s|'t|'ll)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
    "possessive": r"'(?i:[sdmt]|ll)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s]++[\r\n]*+|\s++$",
    "two cases": rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{Lu}}{_CASES}]*[\p{{Ll}}{_CASES}]+(?i:'s|'t)?|\s+",
    "lookahead": r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+|\p{N}",
    "nested class": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "intersection": r"[\p{Han}]+|[\p{Lu}&&[^\p{Han}]]*[\p{Ll}&&[^\p{Han}]]+",
    "signs": r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}]?[\p{L}\p{M}]+",
    "kanji": "[一-龥぀-ゟ゠-ヿ]+",
    "behind": r"(?<=\d)\D|(?<!a)b|(?i)x",
}
SLOW = [
    "(x+x+)+y",
    "^(?:x|xx|xxx*)*$",
    "(x*)*y",
    "(?:x{1,1000}){1,1000}y",
    "((((a{1,99}){1,99}){1,99}){1,99}){1,99}",
    r"(x+)\1+y",
    r"(?<r>x\g<r>|x)y",
    "x*" * 20 + "y",
    "(?:x{1,3}+)y",
    "x{1,3}+y",
    "x{1,99999}",
    "(?~abc)",
    "a" * 100_000,
]


def test_patterns_in_use_pass() -> None:
    assert {name: why_slow(pattern) for name, pattern in IN_USE.items()} == dict.fromkeys(
        IN_USE, ""
    )


def test_patterns_that_explode_are_refused() -> None:
    assert [pattern for pattern in SLOW if not why_slow(pattern)] == []


def test_what_is_no_pattern_is_left_to_the_engine() -> None:
    for pattern in ("", "(", ")", "[", "[[", "\\", "a{", "(?", "*", "a**", "x]"):
        assert isinstance(why_slow(pattern), str)
