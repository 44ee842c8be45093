"""Finds what a test left behind: running threads, running QThreads and visible windows."""

from __future__ import annotations

import gc
import sys
import threading
import time

GRACE_SECONDS = 3.0


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


def leaked_qthreads() -> list[str]:
    """Name the QThread objects that still run; empty when the test never imported Qt."""
    core = sys.modules.get("PySide6.QtCore")
    if core is None:
        return []
    running = [thread for thread in _objects_of(core.QThread) if _runs(thread)]
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


def _objects_of(kind: type) -> list[object]:
    """Return the living Python objects of `kind`."""
    return [found for found in gc.get_objects() if issubclass(type(found), kind)]


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
