"""Start-up: what is imported before the window stands, and that `main` runs from start to end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

START = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from gptdesk.ui import app, main_window

class Window(main_window.MainWindow):
    def showEvent(self, event):
        heavy = {"torch", "onnxruntime", "numpy", "safetensors", "onnx", "jinja2"} & set(sys.modules)
        print("before the window:", sorted(heavy), flush=True)
        super().showEvent(event)
        self.models.changed.connect(self.report)

    def report(self):
        opened = self.models.current
        if opened is not None:
            print("model:", opened.name, "text:", self.tabs.current.editor.plain_text(), flush=True)
            self.close()

app.MainWindow = Window
sys.exit(app.main(sys.argv[1:]))
"""


def start(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GPTDESK_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", START, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        env=environment,
        check=False,
    )


def test_the_window_stands_before_anything_heavy_is_imported(
    tmp_path: Path, tiny_llama_dir: Path
) -> None:
    (tmp_path / "note.txt").write_text("A note.")
    done = start(tmp_path / "home", "--model", str(tiny_llama_dir), str(tmp_path / "note.txt"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["before the window: []", "model: tiny-llama text: A note."]
    assert (tmp_path / "home" / "logs" / "gptdesk.log").is_file()


def test_profile_moves_everything(tmp_path: Path, tiny_llama_dir: Path) -> None:
    profile = tmp_path / "profile"
    done = start(tmp_path / "home", "--profile", str(profile), "--model", str(tiny_llama_dir))
    assert done.returncode == 0, done.stderr
    assert (profile / "config" / "settings.json").is_file()
    assert not (tmp_path / "home").exists()


def test_demo_needs_no_weights(tmp_path: Path, tiny_llama_dir: Path) -> None:
    done = start(tmp_path / "home", "--demo", "--model", str(tiny_llama_dir))
    assert done.returncode == 0, done.stderr
    assert "model: tiny-llama" in done.stdout
