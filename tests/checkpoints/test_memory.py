"""What is known of free memory is plausible, and too large a model is refused with both figures."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from gptdesk.checkpoints import memory
from gptdesk.errors import OutOfMemoryError


def test_free_memory_is_plausible() -> None:
    available = memory.available_bytes()
    assert available is not None
    assert 0 < available <= psutil.virtual_memory().total


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("5000000\n")
    (tmp_path / "memory.current").write_text("3000000\n")
    (tmp_path / "memory.stat").write_text("anon 1000000\nfile 2000000\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(memory, "_meminfo", lambda: 10**9)
    monkeypatch.setattr(memory.platform, "system", lambda: "Linux")
    assert memory.available_bytes() == 4_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() == 10**9


def test_both_figures_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_500_000_000)
    memory.refuse_if_too_large(1_400_000_000, "x")
    with pytest.raises(OutOfMemoryError, match=r"x needs 26\.0 GB of memory; 1\.5 GB are free"):
        memory.refuse_if_too_large(26_000_000_000, "x")


def test_a_system_that_does_not_say_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    memory.refuse_if_too_large(1 << 60, "x")
