"""The guards of the suite see what they guard against: network use, threads and windows left behind."""

from __future__ import annotations

import logging
import socket
import threading
import urllib.request

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication, QWidget

from tests.helpers import leaks, stray_logs
from tests.helpers.network import NetworkBlockedError


def test_sockets_reach_nobody() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe,
        pytest.raises(NetworkBlockedError, match=r"socket\.connect"),
    ):
        probe.connect(("127.0.0.1", 9))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(NetworkBlockedError, match="getaddrinfo"):
        urllib.request.urlopen("http://example.org/")


def test_sockets_inside_this_machine_work() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(b"text")
        assert there.recv(4) == b"text"


def test_a_running_thread_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_SECONDS", 0.01)
    before = leaks.living_threads()
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="left-over")
    thread.start()
    try:
        assert leaks.leaked_threads(before) == ["left-over"]
    finally:
        end.set()
        thread.join()
    assert leaks.leaked_threads(before) == []


def test_a_running_qthread_is_found(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "GRACE_SECONDS", 0.01)
    thread = QThread(objectName="left-over")
    thread.start()
    try:
        assert leaks.leaked_qthreads() == ["left-over"]
    finally:
        thread.quit()
        thread.wait()
    assert leaks.leaked_qthreads() == []


def test_an_open_window_is_found_and_closed(qapp: QApplication) -> None:
    window = QWidget(windowTitle="left-over")
    window.show()
    assert leaks.leaked_windows() == ["QWidget 'left-over'"]
    assert leaks.leaked_windows() == []


@pytest.mark.logs_errors
def test_a_logged_error_is_kept_and_a_warning_is_not() -> None:
    collector = stray_logs.ErrorCollector()
    logger = logging.getLogger("gptdesk.somewhere")
    logger.addHandler(collector)
    logger.warning("slow disk")
    logger.error("lost %s", "a file")
    logger.removeHandler(collector)
    assert collector.lines == ["lost a file"]
