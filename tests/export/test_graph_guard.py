"""Graphs that did not come from the export, or not unharmed, are refused before they run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.export.graph_guard import check_graph
from gptdesk.model.config import ModelConfig
from tests.export.graphs import random_gpt, write_graph

CONFIG = ModelConfig(
    architecture="llama",
    vocab_size=50,
    context_length=64,
    num_layers=1,
    hidden_size=32,
    num_heads=2,
    num_kv_heads=1,
    head_dim=16,
    intermediate_size=40,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_graph(random_gpt(CONFIG), tmp_path / "model", "fast").parent


def _place(model: onnx.ModelProto, key: str, value: str) -> None:
    tensor = next(t for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL)
    next(entry for entry in tensor.external_data if entry.key == key).value = value


def _loop(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Loop", [], ["forever"]))


def _foreign_domain(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Gemm", [], ["x"], domain="ai.hackers"))


def _inner_graph(model: onnx.ModelProto) -> None:
    graph = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", graph))


def _inner_tensor(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(np.zeros(3, np.float32), "x")
    model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


def _function(model: onnx.ModelProto) -> None:
    opsets = [helper.make_opsetid("", 20)]
    model.functions.append(helper.make_function("", "Gemm", ["x"], ["y"], [], opsets))


def _newer(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 99


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (_loop, "Loop"),
        (_foreign_domain, "ai.hackers"),
        (_inner_graph, "graph"),
        (_inner_tensor, "tensor"),
        (_function, "functions"),
        (_newer, "versions"),
    ],
)
def test_foreign_graphs(change: Callable[[onnx.ModelProto], None], sign: str, root: Path) -> None:
    model = onnx.load(root / "model.onnx", load_external_data=False)
    change(model)
    onnx.save(model, root / "model.onnx")
    with pytest.raises(UnsupportedModelError, match=sign):
        check_graph(root)


@pytest.mark.parametrize(
    ("key", "value", "sign"),
    [
        ("location", "../secret", "outside"),
        ("location", "/etc/passwd", "outside"),
        ("location", "*/_ORT_MEM_ADDR_/*", "outside"),
        ("offset", "-4096", "damaged"),
        ("offset", "999999999999", "damaged"),
        ("length", "many", "damaged"),
        ("length", str(1 << 70), "damaged"),
    ],
)
def test_weights_outside_the_weight_file(key: str, value: str, sign: str, root: Path) -> None:
    model = onnx.load(root / "model.onnx", load_external_data=False)
    _place(model, key, value)
    onnx.save(model, root / "model.onnx")
    with pytest.raises(CheckpointError, match=sign):
        check_graph(root)


def _cut_graph(root: Path) -> None:
    data = (root / "model.onnx").read_bytes()
    (root / "model.onnx").write_bytes(data[: len(data) // 2])


def _empty_graph(root: Path) -> None:
    (root / "model.onnx").write_bytes(b"")


def _text_graph(root: Path) -> None:
    (root / "model.onnx").write_text("Once upon a time", encoding="utf-8")


def _cut_weights(root: Path) -> None:
    os.truncate(root / "model.onnx.data", 5000)


def _no_weights(root: Path) -> None:
    (root / "model.onnx.data").unlink()


def _pipe(root: Path) -> None:
    (root / "model.onnx.data").unlink()
    os.mkfifo(root / "model.onnx.data")


def _link_outside(root: Path) -> None:
    outside = root.parent / "outside"
    (root / "model.onnx.data").rename(outside)
    (root / "model.onnx.data").symlink_to(outside)


@pytest.mark.parametrize(
    "harm", [_cut_graph, _empty_graph, _text_graph, _cut_weights, _no_weights, _pipe, _link_outside]
)
def test_damaged_files(harm: Callable[[Path], None], root: Path) -> None:
    check_graph(root)
    harm(root)
    with pytest.raises(CheckpointError, match=r"model\.onnx") as caught:
        check_graph(root)
    assert caught.value.hint


def test_any_flipped_byte_is_refused_or_read(root: Path) -> None:
    """Whatever is in the file, only `CheckpointError` comes out."""
    good = (root / "model.onnx").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        bad = bytearray(good)
        bad[int(rng.integers(len(bad)))] ^= 1 << int(rng.integers(8))
        (root / "model.onnx").write_bytes(bad)
        with contextlib.suppress(CheckpointError):
            check_graph(root)
