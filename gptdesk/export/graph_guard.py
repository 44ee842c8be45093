"""Refuses ONNX graphs that gptdesk did not write, before ONNX Runtime is given them.

A graph is a program: it may loop, refer to files anywhere, even to addresses in memory. So only
what the export writes is let through: known operators without inner graphs, and weights that lie
within the one weight file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import TensorProto

from gptdesk.checkpoints.files import checked_file
from gptdesk.checkpoints.folder import ONNX_DATA_FILE, ONNX_FILE
from gptdesk.errors import CheckpointError, UnsupportedModelError
from gptdesk.export.graph import IR_VERSION, MICROSOFT, OPSET

_MAX_GRAPH_BYTES = 64 << 20
_SIMPLE_ATTRIBUTES = {
    onnx.AttributeProto.FLOAT,
    onnx.AttributeProto.INT,
    onnx.AttributeProto.STRING,
    onnx.AttributeProto.INTS,
}

OPERATORS: dict[str, set[str]] = {
    "": {
        "Add",
        "Cast",
        "Concat",
        "Cos",
        "Div",
        "Gather",
        "Gelu",
        "Gemm",
        "Greater",
        "LayerNormalization",
        "MatMul",
        "Mul",
        "Pow",
        "Range",
        "ReduceMean",
        "Relu",
        "Reshape",
        "ScatterND",
        "Shape",
        "Sigmoid",
        "Sin",
        "Softmax",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tanh",
        "Transpose",
        "Unsqueeze",
        "Where",
    },
    MICROSOFT: {"GroupQueryAttention"},
}
"""What the export writes, by domain."""


@dataclass(frozen=True, slots=True)
class Table:
    """A matrix in the weight file that the caller may read and feed itself.

    Attributes:
        name: of the graph input that takes it.
        shape: of the float32 matrix.
        offset: of its first byte.
    """

    name: str
    shape: tuple[int, ...]
    offset: int


def check_graph(root: Path) -> list[Table]:
    """Judge model.onnx and model.onnx.data in `root` without running anything.

    Returns:
        The weights that are also inputs of the graph.

    Raises:
        CheckpointError: a file is missing, damaged, cut short, or leads outside the folder.
        UnsupportedModelError: the graph is not one that the export writes.
    """
    model = _parse(checked_file(root, ONNX_FILE))
    _check_versions(model)
    if model.functions or model.training_info or model.graph.sparse_initializer:
        raise _foreign("it defines functions, training steps or sparse weights")
    for node in model.graph.node:
        if node.op_type not in OPERATORS.get(node.domain, ()):
            raise _foreign(f"it uses the operator {node.domain or 'ai.onnx'}.{node.op_type}"[:200])
        if any(attribute.type not in _SIMPLE_ATTRIBUTES for attribute in node.attribute):
            raise _foreign(f"its node {node.name[:80]!r} carries a graph or a tensor")
    available = checked_file(root, ONNX_DATA_FILE).stat().st_size
    inputs = {value.name for value in model.graph.input}
    external = [t for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL]
    places = [(tensor, _checked_offset(tensor, available)) for tensor in external]
    return [Table(t.name, tuple(t.dims), offset) for t, offset in places if t.name in inputs]


def _parse(path: Path) -> onnx.ModelProto:
    try:
        if path.stat().st_size > _MAX_GRAPH_BYTES:
            raise _foreign(f"it is larger than {_MAX_GRAPH_BYTES >> 20} MiB")
        model: onnx.ModelProto = onnx.load_model_from_string(path.read_bytes())
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read.", "Check that you may read it.", str(error)
        ) from error
    except DecodeError as error:
        raise _damaged(ONNX_FILE, str(error)) from error
    if not model.graph.node:
        raise _damaged(ONNX_FILE, "it holds no graph")
    return model


def _check_versions(model: onnx.ModelProto) -> None:
    known = {"": OPSET, MICROSOFT: 1}
    versions = {opset.domain: opset.version for opset in model.opset_import}
    if model.ir_version > IR_VERSION or any(known.get(d, 0) < v for d, v in versions.items()):
        raise _foreign(f"it asks for versions {versions}, IR {model.ir_version}")


def _checked_offset(tensor: TensorProto, available: int) -> int:
    """Where in the weight file the tensor begins; all of it is there."""
    place = {entry.key: entry.value for entry in tensor.external_data}
    name = tensor.name[:80]
    if place.get("location") != ONNX_DATA_FILE:
        raise CheckpointError(
            f"{ONNX_FILE}: the weight {name!r} is said to lie outside {ONNX_DATA_FILE}.",
            "Only open models from sources you trust; this one may be trying to read other files.",
            f"location: {place.get('location', '')[:200]!r}",
        )
    try:
        offset, length = int(place.get("offset", "0")), int(place["length"])
    except (KeyError, ValueError) as error:
        raise _damaged(ONNX_FILE, f"the place of {name!r} is unreadable") from error
    if offset < 0 or length < 0 or offset + length > available:
        raise _damaged(ONNX_DATA_FILE, f"{name!r} should end at byte {offset + length:,}")
    if tensor.data_type != TensorProto.FLOAT or length != 4 * math.prod(tensor.dims):
        raise _damaged(ONNX_FILE, f"{name!r} of shape {list(tensor.dims)[:4]} has {length:,} bytes")
    return offset


def _foreign(why: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{ONNX_FILE} is not a graph that gptdesk exported: {why}.",
        "Open the original model instead, and export it with gptdesk if you want ONNX.",
    )


def _damaged(name: str, details: str) -> CheckpointError:
    return CheckpointError(
        f"{name} is damaged or incomplete.", "Export or download the model again.", details
    )
