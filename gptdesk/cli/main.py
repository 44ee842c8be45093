"""Entry point of the console script: dispatch, exit codes, Ctrl+C and closed pipes.

    gptdesk [FILE…]                    the window
    gptdesk COMMAND …                  see `gptdesk --help`

Exit codes: 0 done, 1 error, 2 usage, 130 interrupted, 141 the reader of the output went away.
"""

from __future__ import annotations

import difflib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from gptdesk import logs, paths
from gptdesk.cli.parser import COMMANDS, build_parser
from gptdesk.errors import Cancelled, GptDeskError, OptionError

EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
EXIT_PIPE_CLOSED = 141

_QUESTIONS = ("-h", "--help", "--version")
_FLAGS_WITH_VALUE = ("--profile", "--model")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, or the window when there is none.

    Args:
        argv: arguments without the program's name; None takes them from the system.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        return _run(arguments) if _names_a_command(arguments) else _open_window(arguments)
    except Cancelled:
        return EXIT_INTERRUPTED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return EXIT_PIPE_CLOSED
    except OSError as error:  # as a rule, the output goes to a disk that is full
        _discard_output()
        _report(GptDeskError(f"The system reports: {error}."), debug)
        return EXIT_ERROR
    except GptDeskError as error:
        _report(error, debug)
        return EXIT_USAGE if isinstance(error, OptionError) else EXIT_ERROR


def _names_a_command(arguments: Sequence[str]) -> bool:
    """Whether this is for the command line: a command, or a question about the program.

    A document that happens to be called like a command is opened as `./NAME`.
    """
    word = _first_word(arguments)
    return word in COMMANDS or word in _QUESTIONS


def _first_word(arguments: Sequence[str]) -> str:
    """The first argument that is neither a flag nor a flag's value, or a question; "" for none."""
    words = iter(arguments)
    for word in words:
        if word in _FLAGS_WITH_VALUE:
            next(words, None)
        elif word in _QUESTIONS or not word.startswith("-"):
            return word
    return ""


def _open_window(arguments: Sequence[str]) -> int:
    word = _first_word(arguments)
    is_file = Path(word).suffix != "" or Path(word).exists()
    close = [] if is_file else difflib.get_close_matches(word, COMMANDS, n=1)
    if close:
        raise OptionError(
            f"{word!r} is neither a command nor a file here.", f"Did you mean `gptdesk {close[0]}`?"
        )
    from gptdesk.ui.app import main as window

    return window(arguments)


def _run(arguments: Sequence[str]) -> int:
    if sys.stdout is None:  # closed by whoever started us: then nobody wants the output
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - until exit
    for stream in (sys.stdout, sys.stderr):
        # A Chinese summary must not fail on a terminal or pipe with a narrower encoding.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    options = build_parser().parse_args(arguments)
    if options.profile is not None:
        paths.set_profile(Path(options.profile))
    logs.setup(logging.DEBUG if options.debug else logging.WARNING, to_file=False)
    code: int = options.command(options)
    sys.stdout.flush()
    return code


def _discard_output() -> None:
    """Python flushes stdout once more on exit; where nothing can be written that would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: GptDeskError, debug: bool) -> None:
    print(f"gptdesk: {error.title}", file=sys.stderr)
    if error.hint:
        print(f"         {error.hint}", file=sys.stderr)
    if debug:
        if error.details:
            print(error.details, file=sys.stderr)
        traceback.print_exception(error, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
