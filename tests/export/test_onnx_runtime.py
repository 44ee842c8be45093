"""The decoder when memory runs out: an error of its own kind, and a cache that is as before."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from gptdesk.errors import EngineError, OutOfMemoryError
from gptdesk.export.onnx_format import VARIANTS, Variant
from gptdesk.export.onnx_runtime import runtime_error
from gptdesk.model.config import ModelConfig
from tests.export.graphs import random_gpt, write_graph

CONFIG = ModelConfig(
    architecture="llama",
    vocab_size=200_000,
    context_length=512,
    num_layers=1,
    hidden_size=32,
    num_heads=2,
    num_kv_heads=1,
    head_dim=16,
    intermediate_size=40,
)

SCRIPT = """
import json, resource, sys
from pathlib import Path
from gptdesk.errors import OutOfMemoryError
from gptdesk.export.onnx_runtime import CPU, Decoder, open_session
from gptdesk.model.config import ModelConfig

session = open_session(Path(sys.argv[1]), providers=[CPU], threads=1)
decoder = Decoder(session, ModelConfig(**json.loads(sys.argv[2])), "cpu")
decoder.run([1] * 10, 1)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), -1))
try:
    decoder.run([5] * 256, 256)  # logits of 205 MB
except OutOfMemoryError as error:
    print(error.title, decoder.length)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print(decoder.run([5], 1).shape, decoder.length)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits its own memory as Linux does")
@pytest.mark.parametrize("variant", VARIANTS)
def test_running_out_of_memory(variant: Variant, tmp_path: Path) -> None:
    graph = write_graph(random_gpt(CONFIG), tmp_path, variant)
    command = [sys.executable, "-c", SCRIPT, str(graph), json.dumps(asdict(CONFIG))]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False
    )
    first, second = done.stdout.splitlines()
    assert "not enough memory" in first
    assert first.endswith(" 10")
    assert second == "(1, 200000) 11"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("std::bad_alloc"), RuntimeError("CUDA out of memory")]
)
def test_errors_of_memory(error: Exception) -> None:
    assert isinstance(runtime_error(error), OutOfMemoryError)


def test_other_errors_keep_their_text_for_a_report() -> None:
    error = runtime_error(RuntimeError("node 3 is unwell"))
    assert type(error) is EngineError
    assert "unwell" in error.details
