"""The torch engine keeps its promises at the edges: overflow, memory, misuse, closing."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.checkpoints import memory
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.checkpoints.inspection import inspect_model
from gptdesk.engines import torch_engine
from gptdesk.engines.registry import open_engine
from gptdesk.engines.torch_engine import TorchEngine, open_torch
from gptdesk.errors import (
    Cancelled,
    ContextOverflowError,
    EngineError,
    OptionError,
    OutOfMemoryError,
)
from gptdesk.generation.events import Progress
from gptdesk.model import attention

IDS = [5 * i % 800 for i in range(100)]


@pytest.fixture
def engine(tiny_llama_dir: Path) -> TorchEngine:
    return open_torch(resolve_folder(tiny_llama_dir), device="cpu")[0]


def test_it_says_what_runs(engine: TorchEngine) -> None:
    info = engine.info
    assert (info.name, info.device, info.precision) == ("torch", "cpu", "fp32")
    assert (info.context_length, info.vocab_size) == (512, 800)
    assert engine.gpt is not None
    assert info.weight_bytes == 4 * engine.gpt.config.num_parameters


def test_a_full_context_is_refused_before_anything_changes(engine: TorchEngine) -> None:
    engine.extend(IDS)
    with pytest.raises(ContextOverflowError, match="513"):
        engine.extend([1] * 413)
    assert engine.length == 100
    engine.extend([1] * 412)
    assert engine.length == 512


@pytest.mark.parametrize("ids", [[800], [-1], [1, 2, 10**12]])
def test_ids_outside_the_vocabulary(engine: TorchEngine, ids: list[int]) -> None:
    with pytest.raises(EngineError, match="vocabulary of 800"):
        engine.extend(ids)
    assert engine.length == 0


@pytest.mark.parametrize(("ids", "last"), [([], 1), ([1], 2), ([1], 0)])
def test_positions_that_do_not_exist(engine: TorchEngine, ids: list[int], last: int) -> None:
    with pytest.raises(EngineError):
        engine.extend(ids, last=last)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (
            "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory",
            OutOfMemoryError,
        ),
        ("CUDA out of memory. Tried to allocate 20.00 GiB", OutOfMemoryError),
        ("could not create a primitive", EngineError),
    ],
)
def test_a_failing_step_leaves_the_cache_as_it_was(
    engine: TorchEngine,
    monkeypatch: pytest.MonkeyPatch,
    message: str,
    error: type[EngineError],
) -> None:
    engine.extend(IDS)
    expected = engine.extend([9, 8])
    engine.truncate(100)

    def fail(*args: object) -> torch.Tensor:
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(attention, "_attend", fail)
        with pytest.raises(error) as caught:
            engine.extend([7] * 300)
    assert message in caught.value.details
    assert engine.length == 100
    assert np.array_equal(engine.extend([9, 8]), expected)


def test_a_context_larger_than_the_memory_is_refused_before_it_grows(
    engine: TorchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.extend(IDS)
    monkeypatch.setattr(memory, "available_bytes", lambda: 100_000)
    engine.extend([1] * 156)
    with pytest.raises(OutOfMemoryError, match="257 tokens"):
        engine.extend([1])
    assert engine.length == 256


def test_closing_frees_the_weights_and_may_be_repeated(engine: TorchEngine) -> None:
    assert engine.gpt is not None
    weight = weakref.ref(engine.gpt.lm_head.weight)
    engine.close()
    engine.close()
    gc.collect()
    assert weight() is None
    assert engine.length == 0
    with pytest.raises(EngineError, match="closed"):
        engine.extend([1])


@pytest.mark.parametrize(
    "options",
    [{"device": "tpu"}, {"device": "cuda:99"}, {"dtype": "int3"}, {"threads": 0}, {"engine": "x"}],
)
def test_options_that_do_not_exist(tiny_llama_dir: Path, options: dict[str, str]) -> None:
    with pytest.raises(OptionError):
        open_engine(resolve_folder(tiny_llama_dir), **{"engine": "torch", **options})


def test_half_the_precision_where_only_that_fits(
    tiny_llama_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = resolve_folder(tiny_llama_dir)
    needed = inspect_model(tiny_llama_dir).memory_bytes
    for free, precision in (
        (None, "fp32"),
        (needed["fp32"], "fp32"),
        (needed["fp32"] - 1, "bf16"),
        (needed["bf16"], "bf16"),
        (needed["bf16"] - 1, "fp32"),  # is refused if it does not fit; here the estimate is high
    ):
        monkeypatch.setattr(torch_engine, "available_bytes", lambda free=free: free)
        engine, warnings = open_torch(folder, device="cpu")
        assert engine.info.precision == precision
        assert [warning[:26] for warning in warnings] == (
            ["The model runs in bf16: fp"] if precision == "bf16" else []
        )
        assert open_torch(folder, device="cpu", dtype="fp32")[0].info.precision == "fp32"


def test_progress_counts_every_byte_once(tiny_llama_sharded_dir: Path) -> None:
    seen: list[Progress] = []
    open_engine(resolve_folder(tiny_llama_sharded_dir), progress=seen.append)
    assert {event.stage for event in seen} == {"loading"}
    done = [event.done for event in seen]
    assert done == sorted(done)
    assert done[-1] == seen[-1].total == 964_352


def test_cancelling_between_tensors_frees_what_was_loaded(tiny_llama_dir: Path) -> None:
    cancel = ThreadCancelFlag()
    seen: list[int] = []

    def stop(event: Progress) -> None:
        seen.append(event.done)
        if len(seen) == 3:
            cancel.set()

    before = _living_tensors()
    with pytest.raises(Cancelled):
        open_engine(resolve_folder(tiny_llama_dir), progress=stop, cancel=cancel)
    assert len(seen) == 3
    assert _living_tensors() <= before


@pytest.mark.parametrize(
    "use",
    [
        "from gptdesk.engines.registry import open_engine; open_engine(folder)",
        "from gptdesk.export.onnx_export import export_onnx; export_onnx(folder.root, sys.argv[2])",
    ],
)
def test_waiting_threads_spin_for_a_moment_only(
    tiny_llama_dir: Path, tmp_path: Path, use: str
) -> None:
    code = (
        "import os, sys; from gptdesk.checkpoints.folder import resolve_folder\n"
        "folder = resolve_folder(sys.argv[1])\n"
        "assert 'torch' not in sys.modules\n"
        "print(os.environ['OMP_WAIT_POLICY'], os.environ['GOMP_SPINCOUNT'])\n"
        f"{use}; assert 'torch' in sys.modules"
    )
    ours = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tiny_llama_dir), str(tmp_path / "out")],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.stdout.splitlines()[0] == "PASSIVE 5000"


def test_loading_and_running_leave_torchs_compiler_alone(tiny_llama_dir: Path) -> None:
    """It takes more than a second and 70 MB to import, and nothing here compiles."""
    code = (
        "import sys; from gptdesk.checkpoints.folder import resolve_folder\n"
        "from gptdesk.engines.registry import open_engine\n"
        "engine, _ = open_engine(resolve_folder(sys.argv[1]), device='cpu')\n"
        "engine.extend([1, 2, 3]); engine.extend([4])\n"
        "print({'torch._dynamo', 'sympy', 'transformers'} & set(sys.modules))"
    )
    arguments = [sys.executable, "-c", code, str(tiny_llama_dir)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def _living_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())
