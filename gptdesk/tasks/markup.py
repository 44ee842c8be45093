"""Takes lines apart into language, which is written anew, and marks, which stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"([^\n\r\v\f\x85\u2028\u2029]*)(\r\n|[\n\r\v\f\x85\u2028\u2029]|$)")

# Indentation, quotation marks of mail, heading or list marker, check box.
_MARKER = re.compile(
    r"""
    [ \t\u3000]*
    (?:>[ \t]?)*
    (?:\#{1,6}[ \t]+ | [-*+•·‣◦–—][ \t]+ | \(?\d{1,3}[.)][ \t]+ | \d{1,3}[、）][ \t]*
       | [A-Za-z]\)[ \t]+ | [①-⑳][ \t]*)?
    (?:\[[ xX]\][ \t]+)?
    """,
    re.VERBOSE,
)
_FENCE = re.compile(r"[ \t]*(?:```|~~~)")

# Only ASCII: Chinese text follows an address without a space in between. Repetitions that could
# fail far away are bounded, or a hostile line would take time in the square of its length.
_ADDRESS = r"[A-Za-z0-9\-._~:/?\#\[\]@!$&'()*+,;=%]*[A-Za-z0-9/\#=&_~-]"
_LITERAL = re.compile(
    rf"""
      `{{1,3}}[^`]+`{{1,3}}                                 # code
    | !?\[(?=[^\[\]]*\]\([^)\s]{{0,2000}}\))                # both ends of a Markdown link
    | \]\([^)\s]{{0,2000}}\)
    | <[A-Za-z][^<>]*> | </[A-Za-z][^<>]*>                  # tags and <https://…>
    | (?:https?|ftp|file)://{_ADDRESS} | www\.{_ADDRESS}
    | [A-Za-z0-9._%+-]{{1,64}}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+
    | \$?\{{{{1,2}}[^{{}}]{{0,200}}\}}{{1,2}} | %\(\w{{1,64}}\)[a-z] | %[sd]\b   # placeholders
    | &\#?\w+; | \[\^?\d+\]                                 # entities, footnotes
    | [ \t]{{0,8}}\|[ \t]{{0,8}}                            # borders of table cells
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a text; `marker + body + tail + line_break` is the line.

    Attributes:
        start: its first character in the text.
        marker: indentation, list marker and the like.
        body: what is left; "" when the line has no word to write anew.
        tail: white space at the end, which Markdown takes for a line break.
        line_break: as it stands in the text; "" at the end of the text.
    """

    start: int
    marker: str
    body: str
    tail: str
    line_break: str

    @property
    def end(self) -> int:
        """The character after the last of the line, its line break not counted."""
        return self.start + len(self.marker) + len(self.body) + len(self.tail)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A stretch of a line: words, or something that has to stay as it is."""

    text: str
    literal: bool


def has_words(text: str) -> bool:
    """Whether there is anything to translate or to rewrite."""
    return any(character.isalpha() for character in text)


def lines(text: str) -> Iterator[Line]:
    """Yield the lines; those of fenced code and those without a word have all in `marker`."""
    fenced = False
    for match in _LINE.finditer(text):
        content, line_break = match.groups()
        if not content and not line_break:
            return
        fence = bool(_FENCE.match(content))
        verbatim = fenced or fence or not has_words(content)
        fenced ^= fence
        yield _line(match.start(), content, line_break, verbatim=verbatim)


def _line(start: int, content: str, line_break: str, *, verbatim: bool) -> Line:
    if verbatim:
        return Line(start, content, "", "", line_break)
    match = _MARKER.match(content)
    marker = match[0] if match else ""
    body = content[len(marker) :].rstrip()
    tail = content[len(marker) + len(body) :]
    return Line(start, marker, body, tail, line_break)


def fragments(body: str) -> list[Fragment]:
    """Cut at everything that has to stay: links, addresses, code, placeholders, tags."""
    return cut_at(body, literals(body))


def literals(body: str) -> list[tuple[int, int]]:
    """Ranges of all that has to stay as it is, numbers not counted."""
    return [match.span() for match in _LITERAL.finditer(body) if match.end() > match.start()]


def cut_at(body: str, ranges: list[tuple[int, int]]) -> list[Fragment]:
    """Cut at ascending ranges; their joined text is `body`."""
    pieces, place = [], 0
    for start, end in ranges:
        words = body[place:start]
        pieces += [Fragment(words, literal=not has_words(words)), Fragment(body[start:end], True)]
        place = end
    words = body[place:]
    pieces.append(Fragment(words, literal=not has_words(words)))
    return [piece for piece in pieces if piece.text]
