"""The ONNX engine: exactness of its cache, its refusals, and that it needs no torch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from gptdesk.cancel import ThreadCancelFlag
from gptdesk.checkpoints.folder import resolve_folder
from gptdesk.engines.onnx_engine import OnnxEngine, open_onnx
from gptdesk.errors import (
    Cancelled,
    CheckpointError,
    ContextOverflowError,
    EngineError,
    OptionError,
    UnsupportedModelError,
)
from gptdesk.export.onnx_export import export_onnx
from gptdesk.export.onnx_format import VARIANTS
from gptdesk.generation.events import Progress


@pytest.fixture(scope="module", params=VARIANTS)
def variant_dir(
    request: pytest.FixtureRequest, tiny_llama_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("onnx") / request.param
    return export_onnx(tiny_llama_dir, out, variant=request.param).path


@pytest.fixture(scope="module")
def onnx_dir(tiny_gpt2_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(tiny_gpt2_dir, tmp_path_factory.mktemp("onnx") / "model").path


@pytest.fixture
def copy_dir(onnx_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(onnx_dir, tmp_path / "copy")


@pytest.fixture
def engine(variant_dir: Path) -> Iterator[OnnxEngine]:
    engine, _ = open_onnx(resolve_folder(variant_dir), device="cpu", threads=1)
    yield engine
    engine.close()


def _ids(count: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(0, 800, count).tolist()


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.abs(a - b).max() <= 1e-5 * np.abs(b).max())


def test_info(engine: OnnxEngine) -> None:
    info = engine.info
    assert (info.name, info.device, info.precision) == ("onnx", "cpu", "fp32")
    assert (info.context_length, info.vocab_size) == (512, 800)
    assert 900_000 < info.weight_bytes < 1_300_000


def test_only_the_last_positions_come_back(engine: OnnxEngine) -> None:
    whole = engine.extend(_ids(20), last=20)
    assert whole.shape == (20, 800)
    assert whole.dtype == np.float32
    engine.truncate(0)
    assert _close(engine.extend(_ids(20), last=3), whole[-3:])


@pytest.mark.parametrize("size", [1, 7, 64, 256])
def test_prefill_in_chunks_equals_the_whole(engine: OnnxEngine, size: int) -> None:
    ids = _ids(300)
    whole = engine.extend(ids, last=300)
    engine.truncate(0)
    chunks = [ids[start : start + size] for start in range(0, 300, size)]
    parts = [engine.extend(chunk, last=len(chunk)) for chunk in chunks]
    assert engine.length == 300
    assert _close(np.concatenate(parts), whole)


def test_truncate_and_extend_equals_fresh(engine: OnnxEngine) -> None:
    start, end = _ids(100), _ids(50, seed=1)
    fresh = engine.extend(start[:60] + end, last=50)
    engine.truncate(0)
    engine.extend(start)
    engine.truncate(60)
    assert engine.length == 60
    assert _close(engine.extend(end, last=50), fresh)


def test_text_survives_the_growth_of_the_cache(engine: OnnxEngine) -> None:
    ids = _ids(512)
    whole = engine.extend(ids, last=1)
    engine.truncate(0)
    for token in ids:
        logits = engine.extend([token])
    assert engine.length == 512
    assert _close(logits, whole)


def test_a_full_context_refuses_and_stays_as_it_was(engine: OnnxEngine) -> None:
    engine.extend(_ids(510))
    with pytest.raises(ContextOverflowError):
        engine.extend([1, 2, 3])
    assert engine.length == 510
    engine.extend([1, 2])


@pytest.mark.parametrize(("ids", "last"), [([], 1), ([1], 0), ([1], 2), ([-1], 1), ([800], 1)])
def test_calls_outside_the_protocol(engine: OnnxEngine, ids: list[int], last: int) -> None:
    with pytest.raises(EngineError):
        engine.extend(ids, last=last)
    assert engine.length == 0


def test_truncating_beyond_either_end(engine: OnnxEngine) -> None:
    engine.extend([1, 2, 3])
    engine.truncate(10)
    assert engine.length == 3
    engine.truncate(-1)
    assert engine.length == 0


def test_a_closed_engine_says_so(engine: OnnxEngine) -> None:
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.extend([1])


def test_progress_and_cancel(onnx_dir: Path) -> None:
    events: list[Progress] = []
    open_onnx(resolve_folder(onnx_dir), device="cpu", progress=events.append)[0].close()
    assert events[0].done == 0
    assert events[-1].done == events[-1].total > 800_000
    flag = ThreadCancelFlag()
    flag.set()
    with pytest.raises(Cancelled):
        open_onnx(resolve_folder(onnx_dir), cancel=flag)


@pytest.mark.parametrize("device", ["mps", "cpu:1", "cuda:x", "auto:0", ""])
def test_devices_that_do_not_exist(onnx_dir: Path, device: str) -> None:
    with pytest.raises(OptionError, match="device"):
        open_onnx(resolve_folder(onnx_dir), device=device)


def test_a_machine_without_a_graphics_card(
    onnx_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """`auto` says nothing about what is missing; asked for by name, it is an error."""
    engine, warnings = open_onnx(resolve_folder(onnx_dir), device="auto")
    engine.close()
    assert warnings == []
    assert capfd.readouterr() == ("", "")
    if engine.info.device == "cpu":
        with pytest.raises(EngineError, match="CUDA"):
            open_onnx(resolve_folder(onnx_dir), device="cuda")


def test_torch_is_never_imported(onnx_dir: Path) -> None:
    code = (
        "import sys\n"
        "from gptdesk.checkpoints.folder import resolve_folder\n"
        "from gptdesk.engines.registry import open_engine\n"
        "engine, _ = open_engine(resolve_folder(sys.argv[1]), device='cpu', threads=1)\n"
        "engine.extend([1, 2, 3]); engine.truncate(1); engine.extend([4]); engine.close()\n"
        "assert engine.info.name == 'onnx'\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    command = [sys.executable, "-c", code, str(onnx_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _edit_config(root: Path, **changes: object) -> None:
    data = json.loads((root / "config.json").read_bytes()) | changes
    (root / "config.json").write_text(json.dumps(data), encoding="utf-8")


def _edit_graph(root: Path, edit: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load(root / "model.onnx", load_external_data=False)
    edit(model)
    onnx.save(model, root / "model.onnx")


def _marks(**changes: object) -> dict[str, object]:
    return {"format_version": 1, "precision": "fp32", "variant": "fast"} | changes


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"gptdesk_onnx": _marks(precision="fp8")}, "precision"),
        ({"gptdesk_onnx": _marks(variant=3)}, "variant"),
        ({"gptdesk_onnx": _marks(format_version=2)}, "format_version"),
        ({"gptdesk_onnx": "yes"}, "gptdesk_onnx"),
        ({"n_layer": 4}, "past.3.key"),
        ({"n_layer": 2}, "past.2.key"),
        ({"n_head": 8}, "past.0.key"),
        ({"vocab_size": 801}, "logits"),
    ],
)
def test_a_config_of_another_model(changes: dict[str, object], sign: str, copy_dir: Path) -> None:
    _edit_config(copy_dir, **changes)
    with pytest.raises(UnsupportedModelError, match=sign):
        open_onnx(resolve_folder(copy_dir), device="cpu")


def test_an_ordinary_folder_is_no_onnx_folder(tiny_gpt2_dir: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="not an ONNX folder"):
        open_onnx(resolve_folder(tiny_gpt2_dir))


def test_a_renamed_input(copy_dir: Path) -> None:
    def rename(model: onnx.ModelProto) -> None:
        model.graph.input[0].name = "prompt"
        for node in model.graph.node:
            node.input[:] = ["prompt" if name == "input_ids" else name for name in node.input]

    _edit_graph(copy_dir, rename)
    with pytest.raises(UnsupportedModelError, match="input_ids"):
        open_onnx(resolve_folder(copy_dir), device="cpu")


def test_a_graph_that_cannot_run(copy_dir: Path) -> None:
    def reshape(model: onnx.ModelProto) -> None:
        tensor = next(t for t in model.graph.initializer if t.name.endswith("down_proj.weight"))
        tensor.dims[:] = [tensor.dims[0] * 2, tensor.dims[1] // 2]

    _edit_graph(copy_dir, reshape)
    with pytest.raises(CheckpointError, match=r"model\.onnx"):
        open_onnx(resolve_folder(copy_dir), device="cpu")


def test_a_damaged_name_prints_nothing(copy_dir: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray((copy_dir / "model.onnx").read_bytes())
    data[data.index(b"model.norm.weight")] = 0xFD
    (copy_dir / "model.onnx").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"model\.onnx"):
        open_onnx(resolve_folder(copy_dir), device="cpu")
    assert capfd.readouterr() == ("", "")


def test_weights_outside_the_folder(copy_dir: Path) -> None:
    def point_outside(model: onnx.ModelProto) -> None:
        tensors = [t for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL]
        tensors[0].external_data[0].value = "../../secret"

    _edit_graph(copy_dir, point_outside)
    with pytest.raises(CheckpointError, match="outside"):
        open_onnx(resolve_folder(copy_dir))


def test_weights_cut_short(copy_dir: Path) -> None:
    os.truncate(copy_dir / "model.onnx.data", 100_000)
    with pytest.raises(CheckpointError, match=r"model\.onnx\.data"):
        open_onnx(resolve_folder(copy_dir))


def test_a_weight_file_cut_short_under_a_running_model_harms_nobody(
    variant_dir: Path, tmp_path: Path
) -> None:
    """Reading beyond the end of a mapped file would end the process, and the window with it."""
    copy = shutil.copytree(variant_dir, tmp_path / "copy")
    code = (
        "import os, sys\n"
        "from gptdesk.checkpoints.folder import resolve_folder\n"
        "from gptdesk.engines.onnx_engine import open_onnx\n"
        "engine, _ = open_onnx(resolve_folder(sys.argv[1]), device='cpu', threads=1)\n"
        "before = engine.extend(range(300))\n"
        "os.truncate(sys.argv[1] + '/model.onnx.data', 0)\n"
        "engine.truncate(0)\n"
        "sys.exit(int((engine.extend(range(300)) != before).any()))\n"
    )
    command = [sys.executable, "-c", code, str(copy)]
    assert subprocess.run(command, check=False).returncode == 0
