"""Starts the window.

    arguments → faulthandler → logs → paths, settings (problems collected)
    → QApplication, theme, translators → excepthook → window shown
    → next turn of the event loop: documents restored, problems shown
    → engine worker: imports torch or onnxruntime, loads the last model with visible progress

What is slow comes after what the writer waits for: nothing here imports torch, onnxruntime or numpy,
so the window stands and takes keys while they are still being read from the disk. The first job of
the worker imports them, in its thread.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QStyleFactory

import gptdesk
from gptdesk import logs, paths
from gptdesk.errors import GptDeskError
from gptdesk.settings import Settings
from gptdesk.ui import language, theme
from gptdesk.ui.crash import ExceptionHook
from gptdesk.ui.main_window import MainWindow


def main(argv: Sequence[str] | None = None) -> int:
    """Show the window and run until it is closed.

    Args:
        argv: arguments without the program's name; None takes them from the system.

    Returns:
        The exit code.
    """
    options = _parse(list(sys.argv[1:] if argv is None else argv))
    if options.profile is not None:
        paths.set_profile(options.profile)
    logs.setup(logging.DEBUG if options.debug else logging.INFO)
    _check_screen()
    settings = Settings.load()
    if options.demo:
        settings.set("model.engine", "fake")
    app = make_application(settings)
    window = MainWindow(settings)
    hook = ExceptionHook(window)
    hook.install()
    window.show()
    QTimer.singleShot(0, window, lambda: _fill(window, options))
    signal.signal(signal.SIGINT, lambda *_: window.close())
    code = app.exec()
    hook.remove()
    return code


def _check_screen() -> None:
    """Raise `GptDeskError` where Qt could only abort the process: Linux without any display."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in names):
        raise GptDeskError(
            "There is no screen here to show the window on.",
            "Start gptdesk from a desktop, or use its commands: gptdesk --help lists them.",
        )


def make_application(settings: Settings) -> QApplication:
    """The application object in the chosen colours and language."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("gptdesk")
    app.setApplicationVersion(gptdesk.__version__)
    app.setDesktopFileName("gptdesk")
    app.setStyle(QStyleFactory.create("Fusion"))
    theme.manager().apply(settings.get("ui.theme"))
    language.translators().apply(settings.get("ui.language"))
    return app


def _fill(window: MainWindow, options: argparse.Namespace) -> None:
    """The turn after the window is shown: documents, then the model."""
    window.restore_documents([str(path) for path in options.files])
    if options.model is not None:
        window.models.load(str(options.model))
    else:
        window.models.load_at_start()


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gptdesk", description="Open the window.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="documents to open")
    parser.add_argument("--profile", type=Path, metavar="DIR", help="keep settings and data in DIR")
    parser.add_argument("--model", type=Path, metavar="PATH", help="model to open")
    parser.add_argument("--demo", action="store_true", help="use the engine that needs no weights")
    parser.add_argument("--debug", action="store_true", help="log more")
    return parser.parse_args(arguments)
