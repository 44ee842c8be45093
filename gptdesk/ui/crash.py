"""What happens with an error that nobody caught: it is logged and told, and the window stays."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from gptdesk.ui.messages import Message

if TYPE_CHECKING:
    from gptdesk.ui.main_window import MainWindow

_log = logging.getLogger(__name__)


class ExceptionHook(QObject):
    """Replaces sys.excepthook while the window is open.

    PySide calls the hook for errors in slots and goes on with the event loop; the journal is written
    by a thread and a timer of its own and goes on too, so nothing that was typed is at risk.
    """

    _raised = Signal(str, str)

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._messages = window.messages
        self._before = sys.excepthook
        # Through a signal: the hook may be called in any thread.
        self._raised.connect(self._tell)

    def install(self) -> None:
        """Take over."""
        self._before = sys.excepthook
        sys.excepthook = self._on_error

    def remove(self) -> None:
        """Put back what was there."""
        sys.excepthook = self._before

    def _on_error(
        self,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before(kind, error, trace)
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _log.error("unexpected error\n%s", details)
        self._raised.emit(kind.__name__, details)

    @Slot(str, str)
    def _tell(self, kind: str, details: str) -> None:
        self._messages.show(
            Message(
                self.tr("Something in gptdesk went wrong: {0}.").format(kind),
                self.tr("Your text is safe. Copy the details if you report this."),
                details,
            )
        )
