"""What a model's maker says that the model is weak at, as `gptdesk.json` has it.

    "experimental": {"languages": ["de", "fr"], "text_tokens": 700}

Facts, not sentences: the app words them in the language of its window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

KEY = "experimental"


@dataclass(frozen=True, slots=True)
class Experimental:
    """Where less is to be expected of a model; nothing of it is refused. False when there is nothing.

    Attributes:
        languages: codes of languages that it knows too little of.
        text_tokens: texts of more tokens than these, read at once or in parts, turn out worse; 0
            for no such length.
    """

    languages: tuple[str, ...] = ()
    text_tokens: int = 0

    def __bool__(self) -> bool:
        return bool(self.languages or self.text_tokens)


def parse_experimental(data: Any) -> Experimental:
    """Check the value of the key; keys in it that only later versions know are passed over.

    Raises:
        ValueError: it is of another kind; says what was expected.
    """
    if not isinstance(data, dict):
        raise ValueError("experimental must hold languages or text_tokens")
    languages, tokens = data.get("languages", []), data.get("text_tokens", 0)
    if not isinstance(languages, list) or not all(isinstance(code, str) for code in languages):
        raise ValueError("experimental.languages must be a list of codes")
    if type(tokens) is not int or tokens < 0:
        raise ValueError("experimental.text_tokens must be a whole number from 0 on")
    return Experimental(tuple(languages), tokens)
