"""A prompt as pieces, so that text the person wrote can never act as a control token."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a prompt.

    Attributes:
        text: the characters.
        control: whether special tokens written in `text` (such as `<|endoftext|>`) are to be
            read as such. True only for templates; False for anything a person wrote.
    """

    text: str
    control: bool = False


Prompt = tuple[Piece, ...]
