"""The loss curve as a picture."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

from gptdesk.atomic import write_bytes
from gptdesk.training.metrics import read_metrics

PICTURE = "loss.png"


def draw_loss(folder: Path) -> Path | None:
    """Draw the curves of metrics.jsonl beside it.

    Returns:
        The picture, or None where matplotlib is missing or there is nothing to draw.
    """
    records = read_metrics(folder)
    train, held_out = (_points(records, kind) for kind in ("train", "held_out"))
    if not train[0] and not held_out[0]:
        return None
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return None
    # A figure of its own, drawn by Agg: pyplot would pick a window system and keep figures alive.
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot(*train, linewidth=1, label="training text")
    if held_out[0]:
        axes.plot(*held_out, marker="o", markersize=3, label="held-out text")
    axes.set(xlabel="step", ylabel="loss (nats per token)")
    axes.grid(alpha=0.3)
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_bytes(folder / PICTURE, picture.getvalue())
    return folder / PICTURE


def _points(records: list[dict[str, Any]], kind: str) -> tuple[list[int], list[float]]:
    chosen = [
        (int(data["step"]), float(data["loss"]))
        for data in records
        if data.get("kind") == kind and isinstance(data.get("loss"), float | int)
    ]
    chosen = [(step, loss) for step, loss in chosen if math.isfinite(loss)]
    return [step for step, _ in chosen], [loss for _, loss in chosen]
