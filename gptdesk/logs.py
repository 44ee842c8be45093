"""Logging: a rotating file for bug reports. What the person writes is never logged."""

from __future__ import annotations

import contextlib
import faulthandler
import io
import logging
import logging.handlers
import sys
from pathlib import Path

from gptdesk import paths

_FILE_BYTES = 1 << 20
_BACKUPS = 3
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def setup(level: int = logging.INFO, *, to_file: bool = True) -> Path | None:
    """Route the package's log to a rotating file; warnings also to stderr.

    Args:
        level: least severity that the file takes.
        to_file: False for the command line, which leaves no trace on the disk.

    Returns:
        The file, or None when there is none (not wanted, or the folder cannot be written).
    """
    logger = logging.getLogger("gptdesk")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(level)
    if sys.stderr is not None:  # absent under pythonw on Windows
        console = logging.StreamHandler()
        console.setLevel(logging.WARNING)
        logger.addHandler(console)
        # A stderr that somebody replaced by an object without a file cannot take a crash report.
        with contextlib.suppress(io.UnsupportedOperation):
            faulthandler.enable()
    return _add_file(logger) if to_file else None


def _add_file(logger: logging.Logger) -> Path | None:
    path = paths.log_dir() / "gptdesk.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=_FILE_BYTES, backupCount=_BACKUPS, encoding="utf-8"
        )
    except OSError as error:
        logger.warning("no log file: %s", error)
        return None
    handler.setFormatter(logging.Formatter(_FORMAT))
    logger.addHandler(handler)
    return path
