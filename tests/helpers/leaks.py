"""Finds what a test left behind: running threads, running QThreads and visible windows."""

from __future__ import annotations

import functools
import sys
import threading
import time
import weakref
from typing import Any

GRACE_SECONDS = 3.0

_started: weakref.WeakSet[Any] = weakref.WeakSet()
"""QThreads that were started since `watch_qthreads`."""


def living_threads() -> set[threading.Thread]:
    """Return the Python threads that are alive, without those that Python merely registered.

    A thread that Qt or a native library started gets a dummy entry the first time it runs Python code;
    Python 3.11 keeps that entry for ever, so it says nothing about a leak.
    """
    return {
        thread
        for thread in threading.enumerate()
        if not isinstance(thread, threading._DummyThread) and thread.is_alive()
    }


def leaked_threads(before: set[threading.Thread]) -> list[str]:
    """Name the threads that are not in `before` and do not end within GRACE_SECONDS."""
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in living_threads() - before:
        thread.join(max(0.0, deadline - time.monotonic()))
    return sorted(thread.name for thread in living_threads() - before)


def watch_qthreads() -> None:
    """Let QThread note which of its objects are started, if Qt is imported; once is enough.

    Looking for them among all objects instead took 0.15 s, after every test.
    """
    core = sys.modules.get("PySide6.QtCore")
    if core is None or hasattr(core.QThread.start, "__wrapped__"):
        return
    start = core.QThread.start

    @functools.wraps(start)
    def noted_start(thread: Any, *args: Any, **options: Any) -> None:
        _started.add(thread)
        start(thread, *args, **options)

    core.QThread.start = noted_start


def leaked_qthreads() -> list[str]:
    """Name the QThread objects that still run."""
    running = [thread for thread in _started if _runs(thread)]
    for thread in running:
        thread.wait(int(GRACE_SECONDS * 1000))
    return sorted(thread.objectName() or repr(thread) for thread in running if _runs(thread))


def leaked_windows() -> list[str]:
    """Describe the top-level widgets still visible, and close them so that the next test starts clean."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    application = widgets.QApplication.instance() if widgets else None
    if application is None:
        return []
    leaked = []
    for window in application.topLevelWidgets():
        if window.isVisible():
            leaked.append(f"{type(window).__name__} {window.windowTitle()!r}")
            window.hide()
            window.deleteLater()
    return sorted(leaked)


def _runs(thread: object) -> bool:
    """Tell whether a QThread runs; a wrapper whose C++ half is gone does not."""
    try:
        return bool(thread.isRunning()) and thread is not _main_thread()
    except RuntimeError:
        return False


def _main_thread() -> object:
    """Return the QThread that stands for the main thread: it always runs."""
    core = sys.modules["PySide6.QtCore"]
    application = core.QCoreApplication.instance()
    return application.thread() if application else None
