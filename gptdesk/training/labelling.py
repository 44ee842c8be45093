"""How a model is asked for the label of a text: alike when it learns them and when it is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gptdesk.errors import OptionError
from gptdesk.text.prompt import Piece, Prompt

PLACE = "{text}"
DEFAULT_PROMPT = "{text}\n\nLabel:"


@dataclass(frozen=True, slots=True)
class Labelling:
    """How labels are asked for.

    Attributes:
        prompt: what stands before a label; `{text}` is the text.
        words: label of the file to what is written for it behind the prompt; labels that are not
            here are written as they are.

    Raises:
        OptionError: the prompt has no place for the text.
    """

    prompt: str = DEFAULT_PROMPT
    words: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if PLACE not in self.prompt:
            raise OptionError(f"The prompt has no {PLACE} in it.", f"Write {PLACE} into it.")

    def question(self, text: str) -> Prompt:
        """The prompt for a text, in which nothing acts as a control token."""
        before, _, after = self.prompt.partition(PLACE)
        pieces = (Piece(before, control=True), Piece(text), Piece(after, control=True))
        return tuple(piece for piece in pieces if piece.text)

    def answer(self, label: str | int) -> str:
        """What is to follow the prompt."""
        return f" {self.words.get(str(label), label)}"


def is_label(value: object) -> bool:
    """Whether a value of a JSON line can be a label: a text or a whole number."""
    return isinstance(value, int | str) and not isinstance(value, bool) and value != ""
