"""How much memory is left, asked before a model is loaded.

Linux grants any allocation and kills the process when the pages are touched; that would take the
window along. So what cannot fit is refused beforehand.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from pathlib import Path

from gptdesk.errors import OutOfMemoryError

_CGROUP = Path("/sys/fs/cgroup")


def refuse_if_too_large(needed: int, name: str) -> None:
    """Raise if `needed` bytes are more than this machine can give now.

    Raises:
        OutOfMemoryError: names the model and both amounts.
    """
    available = available_bytes()
    if available is not None and needed > available:
        raise OutOfMemoryError(
            f"{name} needs {needed / 1e9:.1f} GB of memory; {available / 1e9:.1f} GB are free.",
            "Close other programs, or use a smaller model or a lower precision.",
        )


def available_bytes() -> int | None:
    """Memory that can be allocated without swapping; None where the system does not say."""
    system = platform.system()  # mypy would skip the other branches of sys.platform
    if system == "Linux":
        known = [value for value in (_meminfo(), _cgroup()) if value is not None]
        return min(known, default=None)
    if system == "Windows":
        return _windows()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def give_back_freed() -> None:
    """Return freed memory to the system, which the C library would keep for later.

    glibc keeps it for each thread that allocated: a session that changes models now and then would
    look, to the system and to `available_bytes`, as if it held more than one.
    """
    if platform.system() == "Linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without this call
            ctypes.CDLL(None).malloc_trim(0)


def _meminfo() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(
            int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")
        )
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _cgroup() -> int | None:
    """What a container's limit leaves; its page cache counts as free, since it can be dropped."""
    try:
        limit = int((_CGROUP / "memory.max").read_text("ascii"))
        used = int((_CGROUP / "memory.current").read_text("ascii"))
        stat = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(stat.get("file", 0)))
    except (OSError, ValueError):
        return None


def _windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = (
            ("length", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((name, ctypes.c_uint64) for name in ("total", "free", "page", "page_free")),
            *((name, ctypes.c_uint64) for name in ("virtual", "virtual_free", "extended")),
        )

    status = Status(length=ctypes.sizeof(Status))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - absent from other systems' stubs
    return status.free if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
