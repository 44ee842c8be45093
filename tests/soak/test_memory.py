"""A long session does not grow: generations, stops, accepted texts, changes of model."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gptdesk import paths

GENERATIONS = int(os.environ.get("GPTDESK_SOAK_GENERATIONS", "200"))
WARM_UP = GENERATIONS * 3 // 10
MOST_GROWTH = 1.05

Stretch = dict[str, Any]


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_memory_is_flat_over_many_generations_and_models(tmp_path: Path) -> None:
    from gptdesk.export.onnx_export import export_onnx

    # The bundled model: random weights write every script there is, and Qt then loads all fonts.
    model = paths.default_model_dir()
    export_onnx(model, tmp_path / "export")
    stretches = run_session(model, tmp_path / "export")
    growth = {engine: show_growth(engine, stretches) for engine in ("torch", "onnx")}
    assert max(growth.values()) <= MOST_GROWTH, growth


def show_growth(engine: str, stretches: list[Stretch]) -> float:
    """Print the memory after each stretch with an engine; the last ones over the first warm ones.

    Medians of three: what was stopped at which moment makes single figures differ by a few per cent.
    """
    sizes = [
        (line["generations"], line["rss"] / 1e6) for line in stretches if line["engine"] == engine
    ]
    print(f"\n{engine}: " + " ".join(f"{size:.0f}" for _, size in sizes), "MB", end="")
    warm = [size for generations, size in sizes if generations > WARM_UP]
    growth = statistics.median(warm[-3:]) / statistics.median(warm[:3])
    print(f", {growth - 1:+.1%} since generation {WARM_UP}")
    return growth


def run_session(*models: Path) -> list[Stretch]:
    """The memory after each stretch of a session in a process of its own."""
    command = [sys.executable, "-m", "tests.soak.long_session", str(GENERATIONS)]
    done = subprocess.run(
        [*command, *map(str, models)],
        capture_output=True,
        check=False,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=3000,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
