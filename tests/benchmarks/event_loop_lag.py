"""How late the window's event loop is while a model generates: `python -m tests.benchmarks.event_loop_lag`.

A 5 ms timer runs in the real window while a GPT-2 of 124M parameters with random weights generates at full speed
into the document and a robot types elsewhere in it, ten keys a second. The lag is how much later than it was due
the timer fires. Measured without generation, with the engine in a thread and with the engine in a child process,
each in a process of its own, taking turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.helpers import checkpoints

TICK_MS = 5
KEY_MS = 100
VOCAB_SIZE = 50257
VARIANTS = ("idle", "thread", "process")
TEXT = "The tide had gone out further than anyone in the village could remember. " * 4


def main() -> None:
    """Measure every variant and print a table; with --variant, measure one in this process."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variant", choices=VARIANTS)
    parser.add_argument("--model", type=Path)
    options = parser.parse_args()
    if options.variant:
        print(json.dumps(measure(options.variant, options.model, options.seconds)))
        return
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(Path(folder) / "gpt2-124m")
        results: dict[str, list[dict[str, float]]] = {name: [] for name in VARIANTS}
        for _ in range(options.rounds):
            for name in VARIANTS:
                results[name].append(measure_apart(name, model, options.seconds, folder))
    print_table(results)


def write_model(folder: Path) -> Path:
    """A 124M GPT-2 with random weights whose every token has a text of its own."""
    checkpoints.write_gpt2(
        folder, vocab_size=VOCAB_SIZE, n_positions=1024, n_embd=768, n_layer=12, n_head=12
    )
    path = folder / "tokenizer.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    vocab = data["model"]["vocab"]
    vocab.update({f"Ġword{number}": number for number in range(len(vocab), VOCAB_SIZE)})
    path.write_text(json.dumps(data), encoding="utf-8")
    return folder


def measure_apart(variant: str, model: Path, seconds: float, home: str) -> dict[str, float]:
    """Measure in a fresh process."""
    command = [sys.executable, "-m", "tests.benchmarks.event_loop_lag", "--variant", variant]
    command += ["--model", str(model), "--seconds", str(seconds)]
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "GPTDESK_HOME": f"{home}/home"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure(variant: str, model: Path, seconds: float) -> dict[str, float]:
    """Lags in milliseconds, and the tokens a second that were generated meanwhile."""
    from gptdesk.settings import Settings
    from gptdesk.ui.app import make_application
    from gptdesk.ui.documents.questions import Answer
    from gptdesk.ui.main_window import MainWindow
    from gptdesk.ui.worker import EngineWorker
    from tests.benchmarks.process_runner import ProcessRunner

    settings = Settings.load()
    app = make_application(settings)
    worker = EngineWorker(ProcessRunner) if variant == "process" else EngineWorker()
    window = MainWindow(settings, (worker, EngineWorker()))
    window.tabs.questions.save_changes = lambda _: Answer.DISCARD
    window.show()

    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            app.processEvents()
            time.sleep(0.002)

    window.models.load(str(model))
    until(lambda: not window.models.loading)
    editor = window.tabs.current.editor
    editor.insertPlainText(TEXT)
    window.panel.sampling.restore("custom", {"max_new_tokens": 4000})
    window.panel.forms["continue"].set_values({"length": "page"})
    if variant != "idle":
        window.assistant.generate()
        until(lambda: editor.has_provisional)
    editor.moveCursor(editor.textCursor().MoveOperation.Start)
    written = len(editor.provisional_text)
    lags = run_timer(app, window, seconds)
    written = len(editor.provisional_text) - written
    window.close()
    ordered = sorted(lags)
    return {
        "p50": statistics.median(ordered),
        "p99": ordered[int(len(ordered) * 0.99)],
        "max": ordered[-1],
        "tok/s": written / len(" word12345") / seconds,
    }


def run_timer(app: object, window: object, seconds: float) -> list[float]:
    """Let the timer and the robot run; how late each tick was, in milliseconds."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest

    lags: list[float] = []
    last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        lags.append(max(0.0, (now - last) * 1000 - TICK_MS))
        last = now

    ticker, robot, end = QTimer(), QTimer(), QTimer()
    ticker.setTimerType(Qt.TimerType.PreciseTimer)
    ticker.timeout.connect(tick)
    robot.timeout.connect(lambda: QTest.keyClicks(window.tabs.current.editor, "a"))
    end.setSingleShot(True)
    end.timeout.connect(app.quit)
    robot.start(KEY_MS)
    ticker.start(TICK_MS)
    end.start(int(seconds * 1000))
    app.exec()
    ticker.stop()
    robot.stop()
    return lags


def print_table(results: dict[str, list[dict[str, float]]]) -> None:
    """Medians over the rounds; the maximum is the worst of all."""
    print(f"{'engine':<10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}{'tok/s':>10}")
    for name, rounds in results.items():
        p50, p99, speed = (
            statistics.median(one[key] for one in rounds) for key in ("p50", "p99", "tok/s")
        )
        worst = max(one["max"] for one in rounds)
        print(f"{name:<10}{p50:>10.2f}{p99:>10.2f}{worst:>10.2f}{speed:>10.1f}")


if __name__ == "__main__":
    main()
