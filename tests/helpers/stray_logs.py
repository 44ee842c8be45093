"""Notices errors that the app logged while a test ran: what is only logged would pass unseen."""

from __future__ import annotations

import logging


class ErrorCollector(logging.Handler):
    """Keeps what is logged at ERROR and above, as the file log would write it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.lines.append(self.format(record))


def reset_app_logger() -> None:
    """Take the handlers off the app's logger and close them: they hold files and captured streams."""
    logger = logging.getLogger("gptdesk")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
