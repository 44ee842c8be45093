"""Commands that are documented and not built yet: they say so."""

from __future__ import annotations

import argparse

from gptdesk.errors import NotBuiltError


def run(options: argparse.Namespace) -> int:
    """Raise `NotBuiltError` naming the command."""
    raise NotBuiltError(
        f"`gptdesk {options.name}` is not in this version.",
        "`gptdesk --help` lists what is.",
    )
