"""Runs the app until a typed character is painted, for `startup.py`; imports nothing that the app does not."""

from __future__ import annotations

import json
import sys
import time


def main(start: float) -> int:
    """Print the seconds since `start` (of the monotonic clock) at which the window stood and a key showed."""
    from gptdesk.cli.main import main as app

    watch_editor(start)
    return app([])


def watch_editor(start: float) -> None:
    """Have the editor report when it is painted, press a key after the first time, quit after the second."""
    from PySide6.QtCore import QEvent, Qt, QTimer
    from PySide6.QtGui import QKeyEvent, QPaintEvent
    from PySide6.QtWidgets import QApplication

    from gptdesk.ui.documents.questions import Answer
    from gptdesk.ui.editor.text_edit import TextEdit

    seconds: dict[str, float] = {}
    paint = TextEdit.paintEvent

    def press_key(editor: TextEdit) -> None:
        no_modifier = Qt.KeyboardModifier.NoModifier
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            key = QKeyEvent(kind, Qt.Key.Key_A, no_modifier, "a")
            QApplication.sendEvent(QApplication.focusWidget() or editor, key)

    def finish(editor: TextEdit) -> None:
        print(json.dumps(seconds), flush=True)
        window = editor.window()
        window.tabs.questions.save_changes = lambda _: Answer.DISCARD
        window.close()

    def timed_paint(editor: TextEdit, event: QPaintEvent) -> None:
        paint(editor, event)
        step = "key" if editor.plain_text() else "window"
        if step not in seconds:
            seconds[step] = time.monotonic() - start
            follow = press_key if step == "window" else finish
            QTimer.singleShot(0, editor, lambda: follow(editor))

    TextEdit.paintEvent = timed_paint  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
