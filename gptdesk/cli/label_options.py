"""The options that say how a model is asked for labels, of all commands that do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gptdesk.errors import OptionError

if TYPE_CHECKING:
    from gptdesk.training.labelling import Labelling


def add_label_arguments(parser: argparse.ArgumentParser) -> None:
    """--prompt and --words."""
    group = parser.add_argument_group("labels")
    group.add_argument(
        "--prompt", help="what stands before a label; {text} is the text (default: {text}, Label:)"
    )
    group.add_argument(
        "--words", nargs="+", default=[], metavar="LABEL=WORD", help="what is written for a label"
    )


def labelling_from(options: argparse.Namespace) -> Labelling:
    """What the two options ask for.

    Raises:
        OptionError: the prompt has no place for the text, or a word is not LABEL=WORD.
    """
    from gptdesk.training.labelling import DEFAULT_PROMPT, Labelling

    prompt = DEFAULT_PROMPT if options.prompt is None else options.prompt
    return Labelling(prompt, dict(name_and_value(item, "--words") for item in options.words))


def name_and_value(item: str, flag: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE.

    Raises:
        OptionError: one of them is missing; names the flag.
    """
    name, found, value = item.partition("=")
    if not (name and found and value):
        raise OptionError(f"{flag} takes NAME=VALUE, not {item!r}.", f"Write {flag} NAME=VALUE.")
    return name, value
