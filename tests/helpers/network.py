"""A guard that turns any attempt of this process to reach the network into an error.

An audit hook sees every connection that Python code makes, through whatever library, and cannot be undone
by replacing attributes of the socket module. Unix sockets stay open: Qt and multiprocessing use them locally.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

GUARDED_EVENTS = frozenset(
    {
        "socket.connect",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.gethostbyaddr",
    }
)


class NetworkBlockedError(RuntimeError):
    """A test, or the code under test, tried to use the network."""


def block_network() -> None:
    """Refuse every network operation for the rest of the process (an audit hook is never removed)."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise NetworkBlockedError for a guarded `event` unless its socket is a local one."""
    if event not in GUARDED_EVENTS:
        return
    local_family = getattr(socket, "AF_UNIX", None)  # absent on Windows
    family = getattr(arguments[0], "family", None) if arguments else None
    if local_family is None or family != local_family:
        raise NetworkBlockedError(f"{event} with {arguments[1:]!r}: nothing here uses a network")
