"""How long the window takes to stand and to take a key: `python -m tests.benchmarks.startup`.

Each run is a process of its own, counted from before it is created. "window" is the end of the first painting
of the editor, "key" the end of the painting that shows the first character typed, which the robot presses as
soon as the window stands. The first run, which fills the disk cache and compiles the modules, does not count.
"import" and "help" are whole processes: `import gptdesk` and `gptdesk --help`.
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

PROBE = "tests.benchmarks.startup_probe"


def main() -> None:
    """Measure and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {"window": [], "key": [], "import": [], "help": []}
    with tempfile.TemporaryDirectory() as home:
        for number in range(options.runs + 1):
            figures = start_window(home)
            figures["import"] = time_process(home, "-c", "import gptdesk")
            figures["help"] = time_process(home, "-m", "gptdesk", "--help")
            for name, figure in figures.items():
                if number > 0:
                    seconds[name].append(figure)
    print(f"{'':<10}{'median s':>10}{'min s':>10}{'max s':>10}")
    for name, figures in seconds.items():
        print(f"{name:<10}", end="")
        print(f"{statistics.median(figures):>10.3f}{min(figures):>10.3f}{max(figures):>10.3f}")


def start_window(home: str) -> dict[str, float]:
    """Start the app, type one character, quit; seconds until the window stood and the character."""
    command = [sys.executable, "-m", PROBE, str(time.monotonic())]
    result: dict[str, float] = json.loads(run(command, home).splitlines()[-1])
    return result


def time_process(home: str, *arguments: str) -> float:
    """Seconds that a whole run of Python takes."""
    start = time.monotonic()
    run([sys.executable, *arguments], home)
    return time.monotonic() - start


def run(command: list[str], home: str) -> str:
    """What a command writes, run as a user's shell would: with compiled modules, whatever it says here."""
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "GPTDESK_HOME": home}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = f"{home}/compiled"
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
