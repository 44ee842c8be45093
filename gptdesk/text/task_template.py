"""Templates of `gptdesk.json` with their `{names}` filled in, at run time and in training alike."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gptdesk.text.prompt import Piece, Prompt

PROOFREAD, SIMPLIFY = STYLES = ("proofread", "simplify")
"""What `{style}` stands for: how a text is rewritten."""

_TEXT = "{text}"
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def placeholders(template: str) -> set[str]:
    """Names in braces, such as `text` in "{text}"."""
    return set(_PLACEHOLDER.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values in place of their `{names}`, in one pass: braces inside a value stay as they are.

    Raises:
        KeyError: a name has no value.
    """
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def template_prompt(template: str, text: str, values: Mapping[str, str]) -> Prompt:
    """Fill a template of `gptdesk.json`, split around the text so that only it reads controls.

    Raises:
        KeyError: a name has no value.
    """
    before, _, after = template.partition(_TEXT)
    pieces = (
        Piece(fill(before, values), control=True),
        Piece(text),
        Piece(fill(after, values), control=True),
    )
    return tuple(piece for piece in pieces if piece.text)
