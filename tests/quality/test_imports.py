"""What importing a part of the app loads: starting is quick because the heavy libraries wait."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "onnxruntime", "onnx", "numpy", "tokenizers", "safetensors", "jinja2", "PySide6"}
ENGINES = {"torch", "onnxruntime", "onnx", "numpy"}

REPORT = (
    "import json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
)


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules loaded after `code` ran in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import gptdesk", HEAVY),
        ("import gptdesk.cli.main", HEAVY),
        ("import gptdesk.ui.app", ENGINES),
        ("import gptdesk.ui.main_window", ENGINES),
        ("import gptdesk.api, gptdesk.session, gptdesk.jobs, gptdesk.tasks", {"PySide6", "torch"}),
        ("import gptdesk.engines.onnx_engine", {"PySide6", "torch"}),
        ("import gptdesk.model.config", {"PySide6", "torch", "onnxruntime"}),
        ("import gptdesk.settings", HEAVY),
        ("import gptdesk.training.config, gptdesk.training.events", HEAVY),
        ("import gptdesk.training.pipeline, gptdesk.training.batches", {"PySide6", "torch"}),
        ("import gptdesk.export", {"PySide6", "transformers"}),
    ],
)
def test_importing_loads_nothing_unwanted(code: str, unwanted: set[str]) -> None:
    needless = loaded_by(code) & unwanted
    assert needless == set()


def test_the_help_text_loads_no_engine() -> None:
    code = """
import contextlib, io
from gptdesk.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
"""
    needless = loaded_by(code) & HEAVY
    assert needless == set()


def test_a_model_of_onnx_runtime_is_served_without_torch(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    import gptdesk

    exported = tmp_path / "onnx"
    gptdesk.export_onnx(tiny_llama_dir, exported)
    code = f"""
import gptdesk
model = gptdesk.load({str(exported)!r})
tokens = list(model.generate("The lighthouse", gptdesk.Sampling(max_new_tokens=4, temperature=0.0)))
assert tokens
*_, last = gptdesk.continue_text(model, "The lighthouse", length="sentence", max_new_tokens=8)
assert last.reason
model.close()
"""
    needless = loaded_by(code) & {"torch", "PySide6", "transformers"}
    assert needless == set()
